#pragma once

// How much memory subscriptions may take together: the events that wait for them, until they are
// out, and the topics that they follow. And what became of the events.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "ferrite/v1/cache.pb.h"
#include "server/admission/connection_shares.h"

namespace ferrite {

// Each queue counts its events in full, although they share their memory with others: so the sum is
// an upper bound. Topics get up to half of it, and a quarter whatever waits: clients that do not
// read keep nobody from subscribing. A connection gets a part of either (connection_shares.h).
// Thread-safe.
class SubscriberBudget {
 public:
  // What the subscriptions of a connection hold, of events or of topics.
  using Share = ConnectionShares::Cell;

  explicit SubscriberBudget(uint64_t limit_bytes, uint64_t connection_percent = 50)
      : limit_bytes_(limit_bytes), shares_(connection_percent), topic_shares_(connection_percent) {}

  Share* ShareOf(uint64_t connection) { return shares_.Of(connection); }
  Share* TopicShareOf(uint64_t connection) { return topic_shares_.Of(connection); }

  // Whether so many more bytes of events may wait: always if none do, however large the event.
  bool Allows(uint64_t bytes) const { return Allows(held(), bytes); }
  bool Allows(const Share& share, uint64_t held, uint64_t bytes) const {
    return Allows(held, bytes) && (held == 0 || MayTake(share.load(std::memory_order_relaxed)));
  }
  // Events take so many more bytes, or fewer.
  void Change(int64_t bytes) {
    held_.fetch_add(static_cast<uint64_t>(bytes), std::memory_order_relaxed);
  }

  // Whether an event may wait for a stream for which nothing else does, whatever its connection
  // holds: so streams that are read go on beside those that are not. A quarter is not for that.
  bool AllowsFirst(uint64_t bytes) const { return held() + bytes <= MostEvents() / 4 * 3; }

  // For the topics of a subscription; false, and nothing happens, if there is no room.
  bool TakeTopics(Share* share, uint64_t bytes) {
    const uint64_t topics = this->topics();
    if (topics + bytes > most_topics()) return false;
    if (topics + bytes > limit_bytes_ / 4 && held() + topics + bytes > limit_bytes_) return false;
    if (!topic_shares_.Allows(share->load(std::memory_order_relaxed), topics, most_topics()))
      return false;
    topics_.fetch_add(bytes, std::memory_order_relaxed);
    share->fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  void GiveBackTopics(Share* share, uint64_t bytes) {
    topics_.fetch_sub(bytes, std::memory_order_relaxed);
    share->fetch_sub(bytes, std::memory_order_relaxed);
  }

  uint64_t held() const { return held_.load(std::memory_order_relaxed); }
  uint64_t topics() const { return topics_.load(std::memory_order_relaxed); }
  uint64_t limit_bytes() const { return limit_bytes_; }
  uint64_t most_topics() const { return limit_bytes_ / 2; }

 private:
  bool Allows(uint64_t held, uint64_t bytes) const {
    return held == 0 || held + bytes <= MostEvents();
  }
  bool MayTake(uint64_t share) const { return shares_.Allows(share, held(), MostEvents()); }
  uint64_t MostEvents() const {
    return limit_bytes_ - std::max(limit_bytes_ / 4, std::min(topics(), limit_bytes_));
  }

  const uint64_t limit_bytes_;
  ConnectionShares shares_;
  ConnectionShares topic_shares_;
  std::atomic<uint64_t> held_{0};
  std::atomic<uint64_t> topics_{0};
};

// What one stream's events add to the share of its connection. It is told only of changes that
// matter, as each costs a locked instruction. Not thread-safe.
class EventShare {
 public:
  explicit EventShare(SubscriberBudget::Share* share) : share_(*share) {}
  ~EventShare() { Tell(0); }
  EventShare(const EventShare&) = delete;
  EventShare& operator=(const EventShare&) = delete;

  // So many bytes wait for the stream now.
  void Set(uint64_t bytes) {
    if (bytes > told_ + kUntold || bytes + kUntold < told_) [[unlikely]]
      Tell(bytes);
  }
  SubscriberBudget::Share* share() const { return &share_; }

 private:
  static constexpr uint64_t kUntold = uint64_t{16} << 10;

  void Tell(uint64_t bytes) {
    share_.fetch_add(bytes - std::exchange(told_, bytes), std::memory_order_relaxed);
  }

  SubscriberBudget::Share& share_;
  uint64_t told_ = 0;
};

// Changes of one thread, collected: each change of the count that all threads share costs a locked
// instruction. Not thread-safe.
class BudgetBatch {
 public:
  explicit BudgetBatch(SubscriberBudget* budget) : budget_(*budget) {}

  bool Allows(const SubscriberBudget::Share& share, uint64_t bytes) const {
    return budget_.Allows(share, budget_.held() + static_cast<uint64_t>(collected_), bytes);
  }
  void Change(int64_t bytes) {
    collected_ += bytes;
    if (collected_ > kMostCollected) Flush();
  }
  // So that all threads know. To be called before what was added is taken away elsewhere.
  void Flush() { budget_.Change(std::exchange(collected_, 0)); }

 private:
  static constexpr int64_t kMostCollected = int64_t{1} << 20;

  SubscriberBudget& budget_;
  int64_t collected_ = 0;
};

// Counts for metrics, since the start. Thread-safe.
struct EventTally {
  std::atomic<uint64_t> published{0};  // messages, also those that nobody follows
  std::atomic<uint64_t> recorded{0};   // events that went into the log
  std::atomic<uint64_t> delivered{0};  // events that went out, once for each stream
  std::atomic<uint64_t> coalesced{0};
  std::atomic<uint64_t> streams_ended{0};  // by SLOW_CONSUMER_POLICY_END
  std::atomic<uint64_t> overflows{0};      // queues that were full
  std::atomic<uint64_t> discontinuities[v1::DiscontinuityReason_ARRAYSIZE] = {};  // by reason
};

}  // namespace ferrite
