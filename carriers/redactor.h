// Keeps secrets out of whatever is shown, logged or stored of requests and answers. Carriers echo what they were sent,
// and a person reads it later.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/profile.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Knows a profile's secrets and the values of its last sessions, each as it stands in a URL, a form, XML, JSON, base64
/// and hex, and in one of these inside of another; also as a carrier writes it that escapes other characters than we
/// do, or in another charset, and inside of a longer text in base64. One thread.
class Redactor {
 public:
  Redactor() = default;
  explicit Redactor(const Profile& profile);
  /// The values of a session; of those before, a few are remembered, since answers to them are still on their way.
  void add_session(const std::vector<std::string>& values);

  /// With "[secret]" instead of each; also where the text was cut inside of one, at its end or at a "..." of a message.
  /// Values of fewer than four bytes are left: they stand in every text.
  std::string redact(std::string text) const;
  /// Method, URL, headers and body, for people: in UTF-8, whatever the body leaves in. Of headers that hold nothing but
  /// credentials only the name is left.
  std::string redact(const HttpRequest& request) const;

 private:
  struct Secrets {
    std::vector<std::string> forms;         ///< longest first
    std::vector<std::uint32_t> beginnings;  ///< the first four bytes of each, sorted
    /// Those with characters that are escaped somewhere: in which way, nobody can list.
    std::vector<std::string> escapable;
  };
  Secrets secrets_of(const std::vector<std::string>& values) const;

  std::vector<std::string> charsets_;  ///< that bodies leave in, besides UTF-8
  Secrets secrets_;
  std::deque<Secrets> sessions_;
};

}  // namespace remitod::carriers
