// What a person should look at in a profile that works: rules and fields that no sample proves, codes that no rule
// knows, bodies that are not what they say to be, XPaths whose cost grows with the square of an answer's length.
// Private to carriers/.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "carriers/check.h"
#include "carriers/compiled.h"
#include "carriers/mapping.h"
#include "carriers/profile_lines.h"

namespace remitod::carriers {

/// What the samples of a profile came by.
class RulesTouched {
 public:
  /// `read`: as Expectation::read.
  void note(const std::string& operation, const std::vector<RulesTaken>& taken, const nlohmann::json& read,
            const std::string& sample);
  /// There is a sample of it that could be read. `read`: as Expectation::read.
  void note_operation(const std::string& operation, const nlohmann::json& read);
  bool has(const std::string& operation) const { return operations_.contains(operation); }
  /// A sample shows how it goes well: an event, a session, an order that is taken.
  bool has_success(const std::string& operation) const { return successes_.contains(operation); }
  /// `field` of an event as an expectation calls it: a sample has one that is not empty. A code that is the text does
  /// not count: the text stands in for a code that is not there.
  bool has_field(const std::string& operation, const char* field) const;
  /// What is wrong with the body of a request that was made for a sample, by the operation's table.
  void note_body(const std::string& table, const std::string& problem) { bodies_.try_emplace(table, problem); }
  const std::map<std::string, std::string>& bodies() const { return bodies_; }
  /// `number`: of a [[track.answer.volatile]], from 1, that a sample has.
  void note_span(std::size_t number);
  bool has(const std::string& operation, const char* table, std::size_t number) const;
  /// Samples of an operation in which every event is older than the one before it.
  const std::map<std::string, std::string>& backwards() const { return backwards_; }
  /// Code and text of events without a status, each with the first sample that has it.
  const std::map<std::pair<std::string, std::string>, std::string>& unmapped() const { return unmapped_; }

 private:
  std::set<std::string> operations_, successes_;
  std::set<std::string> rules_;                   ///< "track.status.3"
  std::set<std::string> fields_;                  ///< "track.place"
  std::map<std::string, std::string> bodies_;     ///< what is wrong with one, by table
  std::map<std::string, std::string> backwards_;  ///< the first sample, by operation
  std::map<std::pair<std::string, std::string>, std::string> unmapped_;
};

std::vector<Remark> remarks(const CompiledProfile& profile, const RulesTouched& touched, const ProfileLines& lines);
/// Those of them for which no sample has to be there.
std::vector<Remark> remarks_on_bodies(const RulesTouched& touched, const ProfileLines& lines);

}  // namespace remitod::carriers
