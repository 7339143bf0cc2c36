#pragma once

// Carries events from the log to the streams of one serving thread. It runs between steps of the
// thread, so that what several steps record goes out together, and does nothing unless it was
// woken: then it takes the events that are new, puts each into the queues of the streams that
// follow its topic, and has these streams send.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"
#include "server/engine/feed.h"
#include "server/engine/queue_thread.h"
#include "server/events/event_hub.h"
#include "server/events/heartbeat_alarm.h"
#include "server/events/topic_index.h"

namespace ferrite {

class Subscription;

// All but Wake() is for the thread's own use once it runs.
class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // Both must outlive it.
  Dispatcher(QueueThread* thread, EventHub* hub);
  // No stream may be left.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // A FeedHandler.
  grpc::Status Open(const grpc::ByteBuffer& request, std::function<void()> wake,
                    std::unique_ptr<Feed>* feed);

  // There are new events. Thread-safe, and cheap when it was told so already.
  void Wake();
  // To be called between steps of the thread.
  void RunIfWoken() {
    if (woken_.load(std::memory_order_relaxed)) Run();
  }
  // The thread is about to end: nobody wakes it any more.
  void Close();

  // For streams: up to here all events have been offered.
  uint64_t position() const { return position_; }
  // Takes a stream in, which is offered all events that come after `position`; and out.
  void Add(Subscription* subscription, uint64_t position);
  void Remove(Subscription* subscription);
  // Has the stream send again, after others had their turn.
  void WakeSoon(Subscription* subscription);

 private:
  void Run();
  // Offers a stretch of the log, and adds the streams that have something to send for it. False if
  // that was all there is.
  bool OfferNewEvents(std::vector<Subscription*>* ready);
  // Has those send that are still there: a stream that sends may end, and go.
  template <typename Subscriptions>
  void WakeAll(const Subscriptions& subscriptions);
  // Has this run again after others had their turn.
  void RunSoon();
  // Has the thread take a step, whatever that does: this runs then.
  void PostStep();
  void Ring();

  QueueThread& thread_;
  EventHub& hub_;
  uint64_t position_ = 0;
  std::vector<EventRef> events_;              // those that are being offered
  absl::flat_hash_set<Subscription*> later_;  // streams of WakeSoon
  TopicIndex index_;
  absl::flat_hash_map<Subscription*, Clock::time_point> streams_;     // with their heartbeat's time
  std::set<std::pair<Clock::time_point, Subscription*>> heartbeats_;  // the same by time
  HeartbeatAlarm alarm_;

  std::atomic<bool> active_{false};  // there are streams
  std::atomic<bool> woken_{false};
  Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ferrite
