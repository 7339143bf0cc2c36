#pragma once

// A completion queue, the thread that serves it, and what is in flight on it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "base/mutex.h"
#include "grpcpp/completion_queue.h"

namespace ferrite {

// What stands behind every tag in a completion queue.
class CallTag {
 public:
  // One operation of this tag has ended; `ok` as CompletionQueue::Next gives it. May delete the
  // tag.
  virtual void Proceed(bool ok) = 0;

 protected:
  virtual ~CallTag() = default;
};

// A call or a subscription: it has to end before its client does.
class InFlight : public CallTag {
 public:
  // Ends it soon with CANCELLED, unless it ends in another way first. Thread-safe while it is in
  // flight.
  virtual void Cancel() = 0;

 private:
  friend class CompletionThread;

  // Guarded by the mutex of its thread.
  InFlight* next_ = nullptr;
  InFlight* previous_ = nullptr;
};

// Add and Remove are thread-safe.
class CompletionThread {
 public:
  CompletionThread();
  // Close() must have been called.
  ~CompletionThread();
  CompletionThread(const CompletionThread&) = delete;
  CompletionThread& operator=(const CompletionThread&) = delete;

  // Adds `one` to the list of what is in flight. False if the thread is closing: `one` must not
  // start.
  bool Add(InFlight* one);
  // Removes it from the list. After this nobody cancels it.
  void Remove(InFlight* one);

  // Refuses whatever is added from now on, and cancels what is in flight.
  void Refuse();
  // Refuse(), then waits until the list is empty and ends the thread. Must not be called on a
  // completion thread.
  void Close();

  grpc::CompletionQueue* queue() { return &queue_; }

  // Call it right before the operation that leads to a first event: whatever the caller did before
  // happens before the thread takes that event. The queue guarantees this as well, but in a library
  // that the thread sanitizer cannot see into.
  void HandOver() { handed_over_.fetch_add(1, std::memory_order_release); }

  // Whether the caller runs on a completion thread (of any client), where waiting for another call
  // could deadlock.
  static bool IsCurrent();

 private:
  void Serve();

  grpc::CompletionQueue queue_;
  std::atomic<uint64_t> handed_over_{0};
  std::atomic<size_t> in_flight_{0};
  Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  // The head of the list that runs through InFlight::next_.
  InFlight* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
};

}  // namespace ferrite
