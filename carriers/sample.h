// samples/ of a profile: answers, each with what has to be read from it. profiles/README.md has the keys of an
// expectation. Private to carriers/ and its tools.
#pragma once

#include <expected>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/operations.h"
#include "carriers/remito.h"
#include "carriers/transport.h"

namespace remitod::carriers {

inline constexpr std::string_view expectation_suffix = ".expected.json";

/// The files of a name.
struct SampleFiles {
  std::string name;  ///< "delivered", of delivered.xml and delivered.expected.json
  /// Bytes of the answer; of one in several pages history.1.json, history.2.json. Empty: there is no such file.
  std::vector<std::string> pages;
  std::vector<std::string> page_files;  ///< their names, "history.1.json"
  std::optional<std::string> expectation;
};

/// By name. The error says which file cannot be read; a folder that is not there has no samples.
std::expected<std::vector<SampleFiles>, std::string> read_samples(const std::filesystem::path& profile_dir);

/// An expectation, taken apart as far as is needed to read the answer.
struct Expectation {
  std::string operation;  ///< "track", "feed", "create" ...
  HttpAnswer answer;      ///< status, media type and headers of each page; the bodies are the other files
  /// Of each page its media type, where they are not the same. Empty: they are.
  std::vector<std::string> content_types;
  std::vector<std::string> asked;  ///< track
  Instant registered_at{};         ///< track
  Instant at{};                    ///< when it is asked; some day in 2026 where it does not say
  /// Of an order, as CreateOrder and CancelOrder have it; so are the next. Invented where an order states none.
  std::string order_number;
  int parcel_group = 1;
  std::string service, client_ref, shipment_id;
  std::string remito;                  ///< confirm: the number that came with the acceptance
  std::optional<std::string> payload;  ///< its text. There: the request that is made of it is looked at
  std::size_t step = 1;                ///< of a login
  /// What has to be sent: "method", "url", "headers" (lines), "body" (a text, or its lines), as far as it says so.
  /// Null: not at all; an empty object: what is sent is to be shown.
  nlohmann::json request;
  /// What has to be read, completed by what need not be said: "reports" or "trouble", or what settled_key() says; of a
  /// login "session" with "ends_at", or "trouble". Null: not said yet.
  nlohmann::json read;
};

/// Where an expectation tells what a question was settled as: "created" of "create", "confirmed", "found", "cancelled",
/// "looked_up" of "cancel.lookup", "quoted". Empty: answers to this operation are told as reports.
std::string_view settled_key(std::string_view operation);

/// The error says which key is wrong and what was expected.
std::expected<Expectation, std::string> parse_expectation(std::string_view text);

/// What was read, in the shape of Expectation::read.
nlohmann::json told(const std::expected<TrackAnswer, CarrierTrouble>& answer);
nlohmann::json told(const CreateAnswer& answer);
nlohmann::json told(const ConfirmAnswer& answer);
nlohmann::json told(const FindAnswer& answer);
nlohmann::json told(const CancelAnswer& answer);
nlohmann::json told(const CancelLookupAnswer& answer);
nlohmann::json told(const QuoteAnswer& answer);

/// What is sent, in the shape of Expectation::request: the body in UTF-8, whatever it leaves in.
nlohmann::json told(const HttpRequest& request);

/// The text of an expectation with what it does not say yet behind what it says. Null: nothing is to be added of it.
std::string completed_expectation(std::string_view text, const nlohmann::json& request, const nlohmann::json& read);

/// The file of an expectation, one event a line. `expectation` has all keys but those of what was read.
std::string expectation_text(const nlohmann::ordered_json& expectation, const nlohmann::json& read);

}  // namespace remitod::carriers
