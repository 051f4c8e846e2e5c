// An order for any profile, so that its create request can be seen before there is a real one. Private to carriers/ and
// its tools.
#pragma once

#include <string>
#include <string_view>

#include "carriers/template_names.h"

namespace remitod::carriers {

/// Of an order that has none: every order has a number, but a sample need not say one where no template names it.
inline constexpr std::string_view invented_order_number = "MP-0417";

/// The text of a payload that has each of the fields that `names` lists, with values of the right kind that are
/// nobody's.
std::string invented_payload(const NameTree& names);

}  // namespace remitod::carriers
