#pragma once

// CacheService.Scan in a cluster.
//
// The nodes are scanned one after the other, each by itself: what it serves, as long as that is
// what the node expects that asks it (NodeShare): otherwise keys of an owner whom that one does not
// know would be missed. If the map has changed since the first one was begun, what moved meanwhile
// may have been missed, so slots that have got their owner since then are gone through again: keys
// of all others are sent once, theirs at least once. A map that keeps changing ends the scan with
// UNAVAILABLE (SLOT_IN_TRANSITION) after a few rounds, as does a slot that nobody serves; it can be
// continued by its last cursor.

#include "server/engine/rpc.h"
#include "server/routing/router.h"
#include "store/store.h"

namespace ferrite {

// The handler. Both must outlive its calls.
Handler RoutedScan(Store* store, const Router* router);

}  // namespace ferrite
