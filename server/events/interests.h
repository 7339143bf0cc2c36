#pragma once

// Who follows which channels and keys: what decides, at each write and each publish, whether there
// is an event to record.
//
// A topic stays followed for a while after its last stream has ended, so that a stream that broke
// can be resumed without a gap. The time since when a topic has been followed without a break is
// kept as a sequence of the log: a stream may be resumed from any later one. A resume token from
// before is answered with a Discontinuity.
//
// Asking is cheap where nobody is interested: a sketch, a few KiB of counters by hash, says so
// without a lock and without a look into a map.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "base/mutex.h"
#include "oneapi/tbb/concurrent_hash_map.h"
#include "server/events/event_log.h"
#include "server/events/prefix_lengths.h"
#include "server/events/topic.h"

namespace ferrite {

// Thread-safe.
class Interests {
 public:
  using Clock = std::chrono::steady_clock;

  // `log` must outlive this.
  Interests(EventLog* log, Clock::duration linger) : log_(*log), linger_(linger) {}

  // A stream follows topics from now on: whatever is published or written after the call is found.
  // Returns the sequence after which every event of the topics is in the log: it is taken when they
  // can be found and `listen()` has been called, which sees to it that somebody looks.
  uint64_t Follow(
      const std::vector<TopicRef>& topics, uint64_t stream,
      absl::FunctionRef<void()> listen = [] {});
  // It no longer does.
  void Unfollow(const std::vector<TopicRef>& topics, uint64_t stream, Clock::time_point now);
  // Forgets topics that nobody has followed for the linger time.
  void Sweep(Clock::time_point now);

  struct OfChannel {
    bool recorded = false;   // whether the message has to be recorded
    uint64_t receivers = 0;  // streams that follow the channel
  };
  OfChannel FindChannel(std::string_view channel) const;

  struct OfKey {
    bool recorded = false;
    bool with_value = false;
  };
  OfKey FindKey(std::string_view key, EventKind kind) const;

  // Whether any topic is a key or a key prefix.
  bool FollowsKeys() const { return key_topics_ > 0; }

 private:
  // A topic with its streams; none if it lingers.
  struct Followed {
    TopicRef topic;
    uint64_t since;
    Clock::time_point until;  // when it is forgotten; only if it lingers
    absl::flat_hash_set<uint64_t> streams;
  };
  // Topics by their name.
  using Map = tbb::concurrent_hash_map<std::string, std::vector<Followed>>;
  struct Table {
    Map exact;
    Map prefixes;
    PrefixLengths lengths;
  };
  struct Lingering {
    Clock::time_point until;
    TopicRef topic;
  };

  // Counts names by hash: zero means that nobody follows such a name.
  class Sketch {
   public:
    void Add(const Topic& topic) { counts_[PlaceOf(topic)].fetch_add(1); }
    void Remove(const Topic& topic) { counts_[PlaceOf(topic)].fetch_sub(1); }
    bool MayHave(TopicKind kind, bool exact, uint64_t name_hash) const {
      return counts_[PlaceOf(kind, exact, name_hash)].load() != 0;
    }

   private:
    size_t PlaceOf(const Topic& topic) const {
      return PlaceOf(topic.kind, topic.exact, NameHash::Of(topic.name));
    }
    size_t PlaceOf(TopicKind kind, bool exact, uint64_t name_hash) const {
      const uint64_t sort = static_cast<uint64_t>(kind) * 2 + exact;
      return ((name_hash >> 32 ^ name_hash) + sort * 1031) % counts_.size();
    }

    std::array<std::atomic<uint32_t>, 4096> counts_{};
  };

  Table& TableOf(TopicKind kind) { return tables_[static_cast<size_t>(kind)]; }
  Map& MapOf(const Topic& topic) {
    return topic.exact ? TableOf(topic.kind).exact : TableOf(topic.kind).prefixes;
  }

  // Returns whether the topic was not followed before.
  bool Add(const TopicRef& topic, uint64_t stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t SetSince(const Topic& topic, uint64_t sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetIfOver(const Topic& topic, Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls visit(followed) for each topic that matches.
  template <typename Visit>
  void ForEach(TopicKind kind, std::string_view name, Visit visit) const;

  EventLog& log_;
  const Clock::duration linger_;
  Sketch sketch_;
  std::array<Table, 2> tables_;  // by TopicKind
  std::atomic<size_t> key_topics_{0};
  Mutex mutex_;  // whoever changes what is above holds it; whoever asks does not
  std::deque<Lingering> lingering_ ABSL_GUARDED_BY(mutex_);  // by `until`
};

}  // namespace ferrite
