#pragma once

// What a node tells those for whom it has no connection.

#include <cstddef>

#include "server/health/health.h"
#include "server/metrics/thread_counters.h"
#include "server/net/door_policy.h"

namespace ferrite {

// Health checks are answered, as clients with a connection would be; all else is refused.
// `connections` is how many there may be, `wanted` what --max-connections says, which is more if
// there are too few file descriptors. Refusals are counted by reason, and logged, at most once in
// 10 s. `health` and `counters` must outlive the policy.
DoorPolicy PolicyOfDoor(size_t connections, size_t wanted, const Health* health,
                        CounterRegistry* counters);

}  // namespace ferrite
