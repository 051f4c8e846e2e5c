// How the demo's carriers speak: three dialects over the same parcels.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/demo/parcel_life.h"

namespace remitod::demo {

struct Parcel {
  std::string number;
  std::vector<LifeEvent> shown;  ///< oldest first
};

/// SOAP with a diffgram, one parcel; an empty diffgram where nothing is known of it.
std::string soap_tracking(const Parcel* parcel);
/// SOAP, the answer to an order: a number, or the reason why not.
std::string soap_granted(std::string_view reference, std::string_view number, Instant now);
std::string soap_refused(std::string_view reference, std::string_view why, Instant now);
/// SOAP, the answer to an order with a wrong password: a data set without even a summary.
std::string soap_bad_login();
/// SOAP, several parcels, newest event first.
std::string batch_tracking(std::span<const Parcel> parcels);
/// JSON with days instead of times, newest event first.
std::string json_tracking(const Parcel* parcel);

/// The text of the first element of this name, without its escapes; empty where there is none.
std::string element(std::string_view xml, std::string_view name);
std::vector<std::string> elements(std::string_view xml, std::string_view name);
/// The value of the first attribute of this name.
std::string attribute(std::string_view xml, std::string_view name);

}  // namespace remitod::demo
