#pragma once

// Lets a caller cancel calls that it no longer needs.
//
//   auto stop = std::make_shared<Cancellation>();
//   client->GetAsync(request, {.cancellation = stop}, done);
//   stop->Cancel();   // `done` gets CANCELLED soon, unless it got an answer first
//
// One Cancellation may cover any number of calls, of any number of clients.

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

  // Ends the calls that this covers, including those that start later. A call that had been sent
  // may have been executed nevertheless, or may still be.
  void Cancel();
  bool cancelled() const;

  // For the client: registers a call, and removes it before it is deleted. CancelByCaller() may be
  // called from the moment Add begins, but not after Remove has returned.
  void Add(Target* target);
  void Remove(Target* target);

 private:
  mutable Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  Link targets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
