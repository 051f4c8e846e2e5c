// An account for any profile, so that it loads in a test.
#pragma once

#include "carriers/invented_account.h"

namespace remitod::test {

using carriers::invented_account;

}  // namespace remitod::test
