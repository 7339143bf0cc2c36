#pragma once

// What a completion queue gives back when an operation has ended.

namespace ferrite {

class Tag {
 public:
  // `ok` is false when the operation did not happen: the peer is gone or the server shuts down.
  // Runs on the thread of the queue, and may delete the object.
  virtual void Proceed(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// A tag for one of the several operations that an object may have in flight: gives its end to a
// member of the owner, which outlives the operation.
template <typename Owner, void (Owner::*kStep)(bool)>
class StepTag final : public Tag {
 public:
  explicit StepTag(Owner* owner) : owner_(*owner) {}
  void Proceed(bool ok) override { (owner_.*kStep)(ok); }

 private:
  Owner& owner_;
};

}  // namespace ferrite
