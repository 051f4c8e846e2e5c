// A file of a corpus: answers that a carrier gave, and what another project read from them. The form is told in the
// README.md of the corpus.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace remitod::acceptance {

/// A local time as the carrier wrote it, to the minute: the corpus keeps no more of many.
using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

struct ExpectedEvent {
  std::string code;  ///< empty: nothing is expected of it; likewise the others
  std::string text;
  std::string place;
  std::string status;  ///< in the peer's words
  std::optional<LocalMinute> at;
  bool day_only = false;
};

struct ExpectedShipment {
  std::set<std::string> numbers;  ///< by any of which it may be found or made: tracking number, shipment identifier
  std::string status;             ///< in the peer's words; empty: it says none
  std::optional<bool> delivered;
  std::vector<ExpectedEvent> events;
};

struct Case {
  enum class Kind : std::uint8_t {
    shipments,  ///< reports of shipments, or a shipment that was made
    failure,    ///< an error or a number that is not known: nothing is reported, nothing made
    cancel,     ///< a shipment that was cancelled
    other,      ///< an operation of yet another kind
  };
  std::string name;
  Kind kind = Kind::other;
  std::vector<std::string> answers;  ///< in the order of the calls; what is no answer of the carrier is left out
  std::vector<ExpectedShipment> expected;
  std::vector<std::string> asked;  ///< the numbers asked for
};

/// The carrier's own codes -> the peer's word for what they mean. A code may stand under several words.
using StatusTable = std::map<std::string, std::set<std::string>>;

struct CaseFile {
  std::string carrier;  ///< the name of the file, and of the profile's folder
  std::string kind;     ///< "tracking" or "shipment": what its answers are about
  StatusTable statuses;
  std::vector<Case> cases;
};

/// Nothing where the file has another form: a corpus holds tables too. The error says what is wrong with which file.
std::expected<std::optional<CaseFile>, std::string> read_case_file(const std::filesystem::path& file);

/// "2026-11-24", "09:15 AM" -> that minute. The hours are those of the digits: the peer writes "14:32 PM". Without a
/// readable time, the day alone.
void set_time(ExpectedEvent& event, const std::string& date, const std::string& time, const std::string& timestamp);

}  // namespace remitod::acceptance
