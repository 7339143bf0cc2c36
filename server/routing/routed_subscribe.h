#pragma once

// CacheService.Subscribe in a cluster. Events of a channel or key are told by the node that owns
// it. Any node composes what a caller follows from the streams of all nodes that have some of it
// (ComposedSubscription). What such a node asks another for, and what a caller follows who knows
// the nodes itself, comes from one node alone and ends when that no longer owns it.

#include "server/engine/rpc.h"
#include "server/events/dispatcher.h"
#include "server/routing/router.h"

namespace ferrite {

// What happens on this node. `dispatchers` has one for each thread, in order, when calls come.
struct OwnEvents {
  EventHub* hub;
  const std::vector<std::unique_ptr<Dispatcher>>* dispatchers;
};

// The handler; `plain` serves what this node owns. All must outlive its calls.
Handler RoutedSubscribe(Handler plain, const OwnEvents& events, const Router* router);

}  // namespace ferrite
