// Compiled by a test that expects it to fail: a oneTBB that entry_map.h was not read against.

#include "oneapi/tbb/version.h"

#undef TBB_INTERFACE_VERSION
#define TBB_INTERFACE_VERSION 12990

#include "store/entries/entry_map.h"
