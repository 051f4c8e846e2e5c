// Replaying the samples of a profile: is from each answer read what is expected of it, and which line of the profile
// decided where not? What --check-carrier prints and what the tests of the built-in profiles are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "carriers/profile.h"

namespace remitod::carriers {

/// A key of the profile that decided something.
struct Decider {
  std::string key;  ///< "track.event.code"; of rules the number from 1, "track.status.4"
  int line = 0;
};

/// Something that was not read as expected.
struct Deviation {
  std::string what;      ///< "0417000001, event at position 2: status"
  std::string expected;  ///< JSON; empty: nothing
  std::string read;      ///< likewise
  std::vector<Decider> deciders;
};

struct SampleCheck {
  std::string name;
  std::string problem;  ///< why the sample could not be replayed at all; empty: it could
  std::vector<Deviation> deviations;
  /// Where the expectation does not say yet what is to be read: the whole file with what is read now, for a person to
  /// look over and keep. Such a sample does not pass.
  std::string proposal;
  std::string tree = {};  ///< what there was to read from, where there is a proposal for want of an expectation
  bool passed() const { return problem.empty() && deviations.empty() && proposal.empty(); }
};

/// What deserves a look and fails nothing.
struct Remark {
  Decider where;
  std::string text;
};

/// A request as it would leave, of an order and an account that are invented.
struct ShownRequest {
  std::string operation;
  std::string text;               ///< method, URL, headers, an empty line, body
  std::string problem;            ///< why there is none; empty: there is
  std::string body_charset = {};  ///< that the body leaves in, which is shown in UTF-8; empty: that
};

struct ProfileCheck {
  std::string name;  ///< of the folder
  std::filesystem::path file;
  std::vector<ProfileError> errors;  ///< the profile does not load: nothing else was looked at
  std::vector<SampleCheck> samples;
  std::vector<Remark> remarks;
  std::vector<ShownRequest> requests;  ///< of operations that send an order, where no sample shows how
  bool passed() const;
};

/// Reads the folder of a profile, and nothing else: an account is invented, nothing is sent.
ProfileCheck check_profile(const std::filesystem::path& dir);

}  // namespace remitod::carriers
