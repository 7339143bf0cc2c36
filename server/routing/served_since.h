#pragma once

// Whether what was served here still is: asked again before the answer goes out.

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "server/engine/rpc.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Made before it is found that the slots of a call are served here. Used on one thread.
class ServedSince {
 public:
  explicit ServedSince(ThreadRouting* here) : here_(*here), count_(here->view_count()) {}

  // Whether nothing has changed for any slot.
  bool AllStill() const { return here_.may_serve() && here_.view_count() == count_; }
  // OK if the slot is still served here.
  absl::Status Check(uint32_t slot) const;

 private:
  ThreadRouting& here_;
  const uint64_t count_;
};

using Slots = absl::InlinedVector<uint32_t, 1>;

// Has `plain` answer a call about slots that were found to be served here. The call fails if one of
// them no longer is when the answer is there; also if that is an error: its reason may be none any
// more.
absl::Status Serve(const Handler& plain, Slots slots, const ServedSince& since, Turn* turn);

}  // namespace ferrite
