#pragma once

// Carries events from the log to the streams of one serving thread. It runs between steps of the
// thread, so that what several steps record goes out together, and does nothing unless it was
// woken: then it takes the events that are new, puts each into the queues of the streams that
// follow its topic, and has these streams send. So a stream needs no lock, and a client that does
// not read delays no publisher. Events that come while a stream's message is on its way leave
// together in the next one.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/engine/rpc.h"
#include "server/engine/serving_thread.h"
#include "server/engine/timers.h"
#include "server/events/event_hub.h"
#include "server/events/topic_index.h"

namespace ferrite {

class SubscriberStream;

// Counts a stream until hub->StreamEnded(). RESOURCE_EXHAUSTED (OVERLOADED), which is counted, if
// there are as many as may be. Thread-safe.
absl::Status BeginStream(EventHub* hub);

// All but Wake() is for the thread's own use once it runs.
class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // Both must outlive it.
  Dispatcher(ServingThread* thread, EventHub* hub);
  // No stream may be left.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // The handler of Subscribe.
  absl::Status Open(Turn* turn);
  // The same for a part of a stream: what `request` asks for comes from `*stream`, which is to be
  // asked as an Answer is.
  absl::Status Follow(const v1::SubscribeRequest& request, const Waker& waker,
                      std::unique_ptr<Answer>* stream);

  // There are new events. Thread-safe, and cheap when it was told so already.
  void Wake();
  // To be called between steps of the thread.
  void RunIfWoken() {
    if (woken_.load(std::memory_order_relaxed)) Run();
  }
  // The thread is about to end: no more signs of life.
  void Close();

  // For streams: up to here all events have been offered.
  uint64_t position() const { return position_; }
  // There is no room now for the event that the stream is to send next: wakes it when there may be
  // some.
  void AwaitRoom(SubscriberStream* subscription);
  // Takes a stream in, which is offered all events that come after `position`; and out.
  void Add(SubscriberStream* subscription, uint64_t position);
  void Remove(SubscriberStream* subscription);

 private:
  void Run();
  // Offers a stretch of the log, and adds the streams that have something to send for it. False if
  // that was all there is.
  bool OfferNewEvents(std::vector<SubscriberStream*>* ready);
  // Has the thread take a step, whatever that does: this runs then.
  void PostStep();
  void Ring();
  void WakeForRoom();

  ServingThread& thread_;
  EventHub& hub_;
  uint64_t position_ = 0;
  std::vector<EventRef> events_;  // those that are being offered
  TopicIndex index_;
  absl::flat_hash_map<SubscriberStream*, Clock::time_point>
      streams_;  // with their heartbeat's time
  std::set<std::pair<Clock::time_point, SubscriberStream*>> heartbeats_;  // the same by time
  Timer heartbeat_timer_;
  std::map<uint64_t, SubscriberStream*> without_room_;  // by their turns to look for some
  uint64_t room_turns_ = 0;
  Timer room_timer_;

  std::atomic<bool> active_{false};  // there are streams
  std::atomic<bool> woken_{false};
};

}  // namespace ferrite
