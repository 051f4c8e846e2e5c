// Answers of a corpus that come as plain files, without a peer's opinion: genuine.toml says what is in each.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "carriers/mapping.h"
#include "tests/acceptance/judge.h"
#include "tests/acceptance/run_corpus.h"

namespace remitod::acceptance {

/// What a shipment's report has to be.
struct KnownShipment {
  std::string number;
  int events = 0;
  Status current = Status::unmapped;  ///< of the latest event that a rule knows
};

struct GenuineAnswer {
  enum class Gives : std::uint8_t {
    reports,
    not_found,  ///< a report that the number is not known, or no more
    trouble,
    nothing,   ///< neither a report nor trouble
    granted,   ///< from here on: what became of a create request
    accepted,  ///< granted or refused later
    refused,
    unknown,
  };
  std::string file;     ///< below the corpus: "latam/carrier/response.xml"
  std::string profile;  ///< the folder's name
  int http_status = 200;
  Gives gives = Gives::reports;
  std::vector<KnownShipment> shipments;  ///< of `reports`
  std::vector<std::string> asked;        ///< of the others that track; `reports` asks for its shipments
  std::vector<std::string> told;         ///< of `reports`: a part of each remark beside them, in order
  std::string remito;                    ///< of `granted` and `accepted`, if it is told
};

/// The error says which file, and what is wrong with it.
std::expected<std::vector<GenuineAnswer>, std::string> read_genuine(const std::filesystem::path& file);

/// What was read of a track answer or a create answer, against what is in it.
Verdict judge_genuine(const GenuineAnswer& known, const TrackReading& reading);
Verdict judge_genuine(const GenuineAnswer& known, const carriers::CreateAnswer& reading);

/// By the first folder of the files ("latam"); files that are not in this corpus are left out.
Results run_genuine(const std::filesystem::path& corpus, const std::filesystem::path& profiles,
                    const std::vector<GenuineAnswer>& answers);

}  // namespace remitod::acceptance
