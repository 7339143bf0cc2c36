#pragma once

// Where messages and key events come in, whoever they are for: decides whether an event is to be
// recorded, puts it into the log, and wakes the dispatchers, which carry it to the streams of their
// threads. So what a publisher or a writer does costs the same however many streams there are, and
// does not depend on whether their clients read.
//
//   Publish ---.                          .--> Dispatcher of thread 1 --> queues of its streams
//               >-- Interests --> EventLog ---> Dispatcher of thread 2 --> queues of its streams
//   store -----'   anybody?                '--> ...
//
// Everything that somebody follows, messages and key events alike, goes into the one log and gets
// the next sequence. From this one order follows the rest: events of a channel and of a key come in
// the order in which they happened, a resume token is a place in the log, and a stream that
// reconnects reads from there.
//
// No event falls between a subscription and a read after it: the Acknowledgement is sent after the
// topics are in Interests, and the store tells of a write after it is visible. So a client that
// reads a key after the Acknowledgement sees a write, or is told of it.

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/events/event_limits.h"
#include "server/events/event_log.h"
#include "server/events/interests.h"
#include "server/events/subscriber_budget.h"
#include "server/events/topic.h"
#include "store/store.h"

namespace ferrite {

class Dispatcher;

// As in v1::PublishResponse.
struct PublishResult {
  uint64_t receivers = 0;
  uint64_t sequence = 0;
};

// Thread-safe, but for AddDispatcher.
class EventHub final : public EventListener {
 public:
  // `store` must outlive the hub.
  EventHub(Store* store, const EventLimits& limits);
  ~EventHub() override;

  // For the time before any thread serves. The dispatcher must outlive all other calls.
  void AddDispatcher(Dispatcher* dispatcher) { dispatchers_.push_back(dispatcher); }

  // Sends a message to whoever follows the channel.
  PublishResult Publish(std::string_view channel, std::string_view payload);
  // Called by the store: the first gives an event that somebody wants its place in the log, and the
  // second, without a lock, does the rest: it encodes the event and wakes the dispatchers.
  void OnEvent(const StoreEvent& event) override;
  void AfterEvents(bool more) override;

  // As in Interests.
  absl::StatusOr<uint64_t> Follow(const std::vector<TopicRef>& topics, uint64_t stream);
  void Unfollow(const std::vector<TopicRef>& topics, uint64_t stream);
  // To be called now and then.
  void Sweep();

  // A stream wants to begin: false if there are as many as may be. Otherwise it is counted until
  // StreamEnded().
  bool StreamBegins();
  void StreamEnded() { streams_.fetch_sub(1); }
  uint64_t streams() const { return streams_.load(); }
  // A number for a stream that no other has.
  uint64_t NewStreamNumber() { return next_stream_.fetch_add(1); }

  const EventLog& log() const { return log_; }
  const EventLimits& limits() const { return limits_; }
  SubscriberBudget* budget() { return &budget_; }
  EventTally* tally() { return &tally_; }
  const SubscriberBudget& budget() const { return budget_; }
  const EventTally& tally() const { return tally_; }

 private:
  void WakeDispatchers();
  // Has the store tell what happens to keys only as long as somebody may want to know.
  void ListenIfNeeded();

  Store& store_;
  const EventLimits limits_;
  EventLog log_;
  Interests interests_;
  SubscriberBudget budget_;
  EventTally tally_;
  std::vector<Dispatcher*> dispatchers_;
  std::atomic<uint64_t> streams_{0};
  std::atomic<uint64_t> next_stream_{0};
  Mutex listening_mutex_;
  bool listening_ ABSL_GUARDED_BY(listening_mutex_) = false;
};

}  // namespace ferrite
