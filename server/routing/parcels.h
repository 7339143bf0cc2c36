#pragma once

// Puts operations of one call into parcels, one for each lane that they go through.

#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "server/routing/lane_operation.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// For one step of the call.
class Parcels {
 public:
  // Both must outlive it. `round`: how often these operations were sent before.
  Parcels(ForwardedOperations* of, ThreadRouting* here, uint32_t round)
      : of_(*of), here_(*here), round_(round) {}

  // Where an operation lies.
  struct Place {
    const LaneParcel* parcel = nullptr;
    size_t index = 0;
  };
  // Adds one whose slot is forwarded in here->last_view().
  Place Add(uint32_t slot, const LaneOperation& operation);
  // Has all of them executed.
  void Send();

 private:
  struct Addressed {
    Lane* lane;
    LaneParcel* parcel;
  };

  ForwardedOperations& of_;
  ThreadRouting& here_;
  const uint32_t round_;
  absl::InlinedVector<Addressed, 8> all_;
};

}  // namespace ferrite
