#pragma once

// One completion queue and the one thread that serves it. All that happens on a queue happens on
// its thread, so a call in progress needs no lock.

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "server/admission/gate.h"
#include "server/engine/queue_wait.h"
#include "server/engine/tag.h"
#include "server/slowlog/slow_calls.h"

namespace ferrite {

class QueueThread {
 public:
  // `admissions`, and `slow_calls`, where the thread's calls are entered if they take long, must
  // outlive it.
  QueueThread(std::unique_ptr<grpc::ServerCompletionQueue> queue, Admissions* admissions,
              SlowCalls* slow_calls)
      : queue_(std::move(queue)), gate_(admissions), slow_calls_(*slow_calls) {}
  // Stop() must have been called if Start() was.
  ~QueueThread();
  QueueThread(const QueueThread&) = delete;
  QueueThread& operator=(const QueueThread&) = delete;

  // Starts the thread, which first calls `on_start`.
  void Start(std::function<void()> on_start);

  // Has the queue's thread call `body` soon. The thread must run, and Stop() not have been called.
  void Do(std::function<void()> body);

  // Has `body` called between steps of the thread: whenever nothing else waits for it, and every
  // few steps when it is busy. Before Start().
  void BetweenSteps(std::function<void()> body) { between_steps_ = std::move(body); }

  // The one whose thread the caller is; null if it is none's.
  static const QueueThread* Current() { return current_; }

  // Shuts the queue down, waits until it is drained, and ends the thread. Call it after
  // Server::Shutdown, from another thread.
  void Stop();

  grpc::ServerCompletionQueue* queue() const { return queue_.get(); }

  // Whether the queue has been shut down. To start an operation on such a queue would abort the
  // process, so whoever is about to asks first. For the queue's own thread only: that is why there
  // can be no race.
  bool closed() const { return closed_; }

  // For the queue's own thread only.
  Gate* gate() { return &gate_; }
  QueueWait* wait() { return &wait_; }
  SlowCalls* slow_calls() const { return &slow_calls_; }

 private:
  static thread_local const QueueThread* current_;

  void Run();
  void Between();
  // Waits for the next event, and notes if there was none for a moment; false when there will be
  // no more.
  bool Take(void** tag, bool* ok);

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  Gate gate_;
  SlowCalls& slow_calls_;
  QueueWait wait_;
  std::function<void()> between_steps_;
  int steps_ = 0;  // since that was called
  bool closed_ = false;
  // Counts tasks. What was done before one was posted happens before the thread takes it. The queue
  // sees to this as well, but in a library that the thread sanitizer cannot look into.
  std::atomic<uint64_t> handed_over_{0};
  std::thread thread_;
};

}  // namespace ferrite
