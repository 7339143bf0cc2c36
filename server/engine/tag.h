#pragma once

namespace ferrite {

// What a completion queue gives back when an operation has ended: the object that started it, which
// takes its next step.
class Tag {
 public:
  // `ok` is false when the operation did not happen: the peer is gone or the server shuts down.
  // Runs on the thread of the queue, and may delete the object.
  virtual void Proceed(bool ok) = 0;

 protected:
  ~Tag() = default;
};

}  // namespace ferrite
