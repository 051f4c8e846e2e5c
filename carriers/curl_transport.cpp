#include "carriers/transport.h"
