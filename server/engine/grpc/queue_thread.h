#pragma once

// A completion queue and the one thread that serves it.
//
// Threads share the work as it needs them. gRPC has one poller for the whole process: with two
// threads in it, each event wakes both, and a lone call costs more than twice the CPU of a server
// with one thread. So thread 0, the front thread, takes up all unary calls as long as it keeps up,
// and the others, the helpers, sleep outside of gRPC. When calls keep waiting for their
// thread, one more helper is woken. It takes up calls that find no other thread ready, until there
// have been none for a while; then it sleeps again.
//
// Which thread a call goes to is decided by who waits for calls of its method (RpcPort): gRPC looks
// at the queues in order, beginning with that of the front thread, since the others are not
// frequently polled (ServerBuilder::AddCompletionQueue(false)) and so never a connection's own.
//
// A call must not lie in the queue of a helper that sleeps. A helper sleeps only when no call of
// its own is in progress. A call that it still waits for goes to it only when the front thread
// waits for none of that method (exhausted()), and so has calls to serve; it looks into the queues
// of those who sleep before it rests. Besides, a helper that sleeps and waits for calls looks
// itself now and then.

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/engine/grpc/tag.h"
#include "server/engine/serving_thread.h"

namespace ferrite {

class QueueThread;

// What the threads of a server know of each other. Thread-safe, but for Add().
class ThreadTeam {
 public:
  // Before any of them starts; in the order of their indices.
  void Add(QueueThread* thread) { threads_.push_back(thread); }
  const std::vector<QueueThread*>& threads() const { return threads_; }

  // Calls wait for their thread for too long: wakes a helper, unless one was woken just now or
  // all are at work.
  void CallHelper();
  // `idle` is called whenever the first thread, which takes up calls at all times, has none left,
  // and those that it has handed over have begun; on any thread. Before any of them starts.
  void WhenIdle(std::function<void()> idle) { idle_ = std::move(idle); }
  // How many calls they have taken up so far. Thread-safe.
  uint64_t taken_up() const;
  // How many helpers are at work.
  int helpers() const { return helpers_.load(std::memory_order_relaxed); }

 private:
  friend class QueueThread;
  std::vector<QueueThread*> threads_;
  // The first thread has no calls left.
  void FrontIsIdle();
  void HandsOver() { handed_over_.fetch_add(1); }
  // A call that was handed over has begun.
  void Begun();

  std::function<void()> idle_ = [] {};
  std::atomic<int> handed_over_{0};
  std::atomic<bool> idle_is_due_{false};  // once they have begun
  std::atomic<int> helpers_{0};
  std::atomic<int64_t> last_called_ns_{0};
};

class QueueThread final : public ServingThread {
 public:
  QueueThread(size_t index, std::unique_ptr<grpc::ServerCompletionQueue> queue, ThreadTeam* team,
              Admissions* admissions, SlowCalls* slow_calls)
      : ServingThread(index, admissions, slow_calls), queue_(std::move(queue)), team_(*team) {}
  // Stop() must have been called if Start() was.
  ~QueueThread() override;

  // Starts the thread, which first calls `on_start`.
  void Start(std::function<void()> on_start);
  // Shuts the queue down, waits until it is drained, and ends the thread. Call it after
  // Server::Shutdown, from another thread.
  void Stop();

  void Post(std::function<void()> body) override;
  // The same, from the first thread, of a call that begins.
  void HandOver(std::function<void()> begin);
  void NoteWait(int64_t queue_ns) override;

  // Has `arm` called when the thread, a helper, begins to take up calls. Before Start().
  void WhenCalled(std::function<void()> arm) { when_called_.push_back(std::move(arm)); }

  grpc::ServerCompletionQueue* queue() const { return queue_.get(); }

  // The server is about to stop: waits for more calls, so that those that gRPC holds are taken up.
  // For the thread itself.
  void TakeUpWhatWaits();

  // How many calls of a method this thread is to wait for at a time: alone, enough for a burst;
  // beside others, one, so that a call goes to a thread that has nothing else to do. When the
  // server is about to stop, more of a method that was called; others would take memory for
  // nothing. For the thread itself, as is what follows.
  int calls_to_wait_for(bool called) const;
  // It has taken up a call of any kind; and how many it has, for any thread.
  void CountTakenUp() {
    taken_up_.store(taken_up_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t taken_up() const { return taken_up_.load(std::memory_order_relaxed); }
  // Calls that it waits for have become more, or fewer.
  void ChangeWaitedFor(int by) { waited_for_.fetch_add(by, std::memory_order_relaxed); }
  // It has taken up a unary call, and waits for so many more of that method.
  void NoteTakenUp(int left) {
    ++took_up_;
    if (left == 0) took_up_ += kAloneWaitsFor;
  }

 private:
  friend class ThreadTeam;

  struct Event {
    void* tag;
    bool ok;
  };
  enum class Wait { kEvent, kNothing, kShutdown };

  // Calls of each method that the front thread waits for while it is alone. A burst beyond it goes
  // to the helpers; gRPC buffers calls that nobody waits for.
  static constexpr int kAloneWaitsFor = 64;

  bool is_helper() const { return index() > 0; }

  void PostLocked(std::function<void()> body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(post_mutex_);
  void Run();
  // The next event; absent when there will be no more.
  std::optional<Event> Take();
  // Looks whether there is an event, without waiting.
  Wait Look(Event* event);
  // Waits for an event until the next timer rings or, a helper without calls, for a while.
  Wait WaitForEvent(Event* event);
  // Looks into the queues of helpers that sleep, and wakes those that have an event.
  void LookAfterSleepers();
  bool MayLie(QueueThread* helper) const;
  // Whether calls may have gone to other queues since this one was empty, as this thread waited for
  // no more of their method: gRPC takes from what waits before the thread sees it.
  bool exhausted() const { return took_up_ >= kAloneWaitsFor; }

  // For helpers. No longer takes up calls.
  void Retire();
  // Sleeps until there is something to do; returns an event if there is one after all.
  std::optional<Event> Sleep();
  // Waits for Rouse(), or until it is time to look into the queue again; returns whether it came.
  bool AwaitRouse();
  // Has it take up calls. False if it does already. Thread-safe.
  bool Call();
  // Wakes the thread if it sleeps. Thread-safe.
  void Rouse();

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  ThreadTeam& team_;
  std::vector<std::function<void()>> when_called_;
  int long_waits_ = 0;  // calls in a row that waited for long
  int took_up_ =
      0;  // unary calls since the queue was empty; many more if one was the last of its method
  std::atomic<uint64_t> taken_up_{0};
  bool stops_soon_ = false;
  bool lingered_ = false;  // a helper that has had nothing to do for a while
  std::atomic<int> waited_for_{0};
  // Counts tasks. What was done before one was posted happens before the thread takes it. The queue
  // sees to this as well, but in a library that the thread sanitizer cannot look into.
  std::atomic<uint64_t> handed_over_{0};
  Mutex post_mutex_;
  bool stopping_ ABSL_GUARDED_BY(post_mutex_) = false;

  // Of helpers.
  std::atomic<bool> called_{false};  // it takes up calls
  std::atomic<bool> asleep_{false};
  Mutex sleep_mutex_;
  Condition roused_;
  bool rouse_ ABSL_GUARDED_BY(sleep_mutex_) = false;

  std::thread thread_;
};

}  // namespace ferrite
