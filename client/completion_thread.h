#pragma once

// A completion queue, the thread that serves it, and the calls that are in flight on it.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "client/mutex.h"
#include "grpcpp/completion_queue.h"

namespace ferrite {

class Call;

// What stands behind every tag in a completion queue.
class CallTag {
 public:
  // One operation of this tag has ended; `ok` as CompletionQueue::Next gives it. May delete the
  // tag.
  virtual void Proceed(bool ok) = 0;

 protected:
  virtual ~CallTag() = default;
};

// Add and Remove are thread-safe.
class CompletionThread {
 public:
  CompletionThread();
  // Close() must have been called.
  ~CompletionThread();
  CompletionThread(const CompletionThread&) = delete;
  CompletionThread& operator=(const CompletionThread&) = delete;

  // Takes `call` into the list of calls in flight. False when the thread is closing: the call must
  // not start.
  bool Add(Call* call);
  // Takes it out again. Afterwards nobody cancels it.
  void Remove(Call* call);

  // Refuses further calls and cancels those in flight.
  void Refuse();
  // The same; then waits until each call has left the list, and ends the thread. Not to be called
  // on a completion thread.
  void Close();

  grpc::CompletionQueue* queue() { return &queue_; }

  // To be called right before the operation that leads to a call's first event: what the caller did
  // until then happens before the thread takes that event. The queue sees to this as well, but in a
  // library that the thread sanitizer cannot look into.
  void HandOver() { handed_over_.fetch_add(1, std::memory_order_release); }

  // Whether the caller runs on a completion thread (of any client), where waiting for another call
  // could last for ever.
  static bool IsCurrent();

 private:
  void Serve();

  grpc::CompletionQueue queue_;
  std::atomic<uint64_t> handed_over_{0};
  std::atomic<size_t> in_flight_{0};
  Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  Call* calls_ ABSL_GUARDED_BY(mutex_) = nullptr;  // head of the list that runs through Call::next_
  std::thread thread_;
};

}  // namespace ferrite
