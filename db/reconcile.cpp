#include "db/reconcile.h"
