#pragma once

// A tag for one of the several operations that a call may have in flight: gives its end to a member
// of the call.

#include "server/engine/tag.h"

namespace ferrite {

// A member of `Call`, which outlives the operation.
template <typename Call, void (Call::*kStep)(bool)>
class StepTag final : public Tag {
 public:
  explicit StepTag(Call* call) : call_(*call) {}
  void Proceed(bool ok) override { (call_.*kStep)(ok); }

 private:
  Call& call_;
};

}  // namespace ferrite
