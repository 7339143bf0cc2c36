#pragma once

// Lets a caller take back calls that it no longer needs.
//
//   auto stop = std::make_shared<Cancellation>();
//   client->GetAsync(request, {.cancellation = stop}, done);
//   stop->Cancel();   // `done` gets CANCELLED soon, unless it got an answer first
//
// One Cancellation may stand for any number of calls, of any number of clients.

#include "absl/base/thread_annotations.h"
#include "base/links.h"
#include "base/mutex.h"

namespace ferrite {

// Thread-safe.
class Cancellation {
 public:
  // A call in flight, as a Cancellation sees it.
  class Target : private Link {
   protected:
    virtual ~Target() = default;

   private:
    friend class Cancellation;
    // Makes the call end soon. Returns at once; may come from any thread.
    virtual void CancelByCaller() = 0;
  };

  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Ends the calls that this stands for, those that start later included. A call that was sent may
  // have been carried out nevertheless, or may still be.
  void Cancel();
  bool cancelled() const;

  // For the client: takes a call in, and out before it goes. CancelByCaller() may come from the
  // moment Add begins, but not after Remove has returned.
  void Add(Target* target);
  void Remove(Target* target);

 private:
  mutable Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  Link targets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
