// A profile in a temporary folder, and the text of a good one to spoil.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/profile.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
inline void PrintTo(const ProfileError& error, std::ostream* out) {
  *out << error.to_string();
}
}  // namespace remitod::carriers

namespace remitod::test {

/// Tracks by XML, creates by JSON; asks for settings.account and secrets.password.
inline constexpr std::string_view good_profile = R"toml(title = "Carrier"
verified = "recorded answers"
zone = "America/Lima"
base_url = "https://carrier.example/api"
settings = ["account"]
secrets = ["password"]
registration_grace = "36 h"
give_up_after = "30 d"
tail = "5 d"

[limits]
requests_per_second = 7.5
concurrency = 3

[transport]
connect_timeout = "1500 ms"
total_timeout = "45 s"
body_bytes_max = 1000000
low_speed_time = "2 min"
tls_min = "1.3"

[auth]
kind = "basic"
user = "{{settings.account}}"
password = "{{secrets.password}}"

[track]
method = "POST"
url = "{{base_url}}/track"
headers = { "Content-Type" = "text/xml", "X-Year" = "{{registered_yy}}" }
body_format = "xml"
body = '''
<ask account="{{settings.account}}">
  <number>{{remito}}</number>
</ask>'''

[track.answer]
format = "xml"
charset = "ISO-8859-1"
success_statuses = [200, 404]
success = "not(//fault)"
error = "//fault"
shipments = "//shipment"
remito = "number"
events = "event"
order = "newest_first"

[track.event]
code = "@code"
text = "text"
time = "time"
formats = ["%d/%m/%Y %H:%M"]

[[track.status]]
codes = ["1", "2"]
code = "3"
status = "in_transit"

[[track.status]]
prefix = "  Visita FALLIDA"
pattern = "(?i)ausente"
when = "@final = 'no'"
status = "attempt_failed"
reason = "recipient_absent"

[[track.reason]]
text = "Dirección  errada"
reason = "address_not_found"

[create]
method = "POST"
url = "{{base_url}}/orders?ref={{client_ref}}"
headers = { "Content-Type" = "application/json", "X-Order" = "{{order_number}}", "X-Note" = "{{notes}}" }
body_format = "json"
required = ["recipient.name", "recipient.address.street", "parcels.0.weight_kg"]
optional = ["recipient.address.floor", "notes", "parcels.*.description"]
body = '''{"order":"{{order_number}}","name":"{{recipient.name}}","street":"{{recipient.address.street}}"{{#recipient.address.floor}},"floor":"{{recipient.address.floor}}"{{/recipient.address.floor}},"weights":[{{#parcels}}{"kg":{{weight_kg}},"what":"{{description}}"},{{/parcels}}null]}'''

[create.answer]
format = "json"
granted = "//remito != ''"
refused = "//error != ''"
remito = "//remito"
refusal_text = "//error"
)toml";

/// `text` with the one occurrence of `what` replaced.
inline std::string with(std::string_view text, std::string_view what, std::string_view instead) {
  std::string changed(text);
  const std::size_t at = changed.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  EXPECT_EQ(changed.find(what, at + 1), std::string::npos) << what << " stands twice";
  return at == std::string::npos ? changed : changed.replace(at, what.size(), instead);
}

/// Counted from 1.
inline int line_of(std::string_view text, std::string_view what) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string_view::npos) << what;
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

class ProfileTest : public testing::Test {
 protected:
  using Loaded = std::expected<std::shared_ptr<const carriers::Profile>, std::vector<carriers::ProfileError>>;

  ProfileTest() {
    settings_.name = "carrier";
    settings_.values["account"] = "77&1";
    settings_.secrets["password"] = "hush-hush";
  }

  Loaded load(std::string_view toml) {
    write_file(folder_.path() / "carrier.toml", toml);
    return carriers::load_profile(folder_.path(), settings_);
  }

  std::shared_ptr<const carriers::Profile> loaded(std::string_view toml) {
    const Loaded profile = load(toml);
    if (profile) return *profile;
    for (const carriers::ProfileError& error : profile.error()) ADD_FAILURE() << error.to_string();
    return nullptr;
  }

  std::vector<carriers::ProfileError> errors(std::string_view toml) {
    const Loaded profile = load(toml);
    return profile ? std::vector<carriers::ProfileError>{} : profile.error();
  }

  TemporaryFolder folder_;
  carriers::CarrierSettings settings_;
};

}  // namespace remitod::test
