#pragma once

// The one place where rights are checked: around the handler of every RPC, whatever serves it, be
// it the handlers of this node or what forwards to others. So nothing behind it has to think of
// rights.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/access/access_control.h"
#include "server/engine/rpc.h"
#include "server/events/subscriber_budget.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/wire_handlers.h"

namespace ferrite {

// What the policy asks of the callers of a method.
enum class Needs {
  kNothing,   // everybody may call it
  kAnyRight,  // a right to anything at all
  kAdmin,
  kKey,      // of its one key
  kChannel,  // of its one channel
  kBatch,    // of each of its keys
  kFrames,   // of each operation of each frame
  kScan,     // of a whole prefix
  kSubscribe,
};

// A switch without default: a method that is added does not compile until it has been thought of.
Needs NeedsOf(Method method);

// What the subscriptions of a namespace (Caller::name_space) may take; keeps what it is part of.
using SubscribersOf = std::function<std::shared_ptr<SubscriberBudget>(const std::string* name)>;

// RPCs that check the rights of their callers, and then do as `plain` ones do. All must outlive
// them.
std::vector<Rpc> Checked(std::vector<Rpc> plain, AccessControl* access, const CacheHandlers* cache,
                         const WireHandlers* wire, const SubscribersOf& subscribers);

}  // namespace ferrite
