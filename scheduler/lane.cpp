#include "scheduler/lane.h"
