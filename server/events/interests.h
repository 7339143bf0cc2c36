#pragma once

// Who follows which channels and keys: what decides, at each write and each publish, whether there
// is an event to record.
//
// A topic stays followed for a while after its last stream has ended, so that a stream that broke
// can be resumed without a gap. The time since when a topic has been followed without a break is
// kept as a sequence of the log: a stream may be resumed from any later one. A resume token from
// before is answered with a Discontinuity.
//
// A glob is found by a literal part of it, whichever fewest others have: only globs whose part is
// somewhere in a name are matched against it, so that a publisher pays for what may match, and not
// for all that is followed.
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
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "oneapi/tbb/concurrent_hash_map.h"
#include "server/events/event_log.h"
#include "server/events/part_lengths.h"
#include "server/events/prefix_lengths.h"
#include "server/events/topic.h"

namespace ferrite {

// Thread-safe.
class Interests {
 public:
  using Clock = std::chrono::steady_clock;

  // Topics that linger take at most `most_lingering_bytes`: the oldest are forgotten early. `log`
  // must outlive this.
  Interests(EventLog* log, Clock::duration linger, uint64_t most_lingering_bytes = UINT64_MAX)
      : log_(*log), linger_(linger), most_lingering_bytes_(most_lingering_bytes) {}

  // A stream follows topics from now on: whatever is published or written after the call is found.
  // Returns the sequence after which every event of the topics is in the log: it is taken when they
  // can be found and `listen()` has been called, which sees to it that somebody looks.
  // RESOURCE_EXHAUSTED (OVERLOADED) if a topic is a glob whose every part kMostSharing others
  // already are found by: each name with that part would have to be matched against all of them.
  static constexpr size_t kMostSharing = 1024;
  absl::StatusOr<uint64_t> Follow(
      const std::vector<TopicRef>& topics, uint64_t stream,
      absl::FunctionRef<void()> listen = [] {});
  // It no longer does; of topics that it never followed, nothing comes.
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
  // Topics by one of their handles.
  using Map = tbb::concurrent_hash_map<std::string, std::vector<Followed>>;
  struct Table {
    std::array<Map, kTopicHandles> by_handle;
    PrefixLengths prefix_lengths;
    PartLengths part_lengths;

    Map& Of(TopicHandle handle) { return by_handle[static_cast<size_t>(handle)]; }
    const Map& Of(TopicHandle handle) const { return by_handle[static_cast<size_t>(handle)]; }
  };
  struct Lingering {
    Clock::time_point until;
    TopicRef topic;
  };

  // Counts handles by hash: zero means that nobody follows a topic by such a handle.
  class Sketch {
   public:
    void Add(const Topic& topic, std::string_view handle) {
      counts_[PlaceOf(topic.kind, topic.handle(), NameHash::Of(handle))].fetch_add(1);
    }
    void Remove(const Topic& topic, std::string_view handle) {
      counts_[PlaceOf(topic.kind, topic.handle(), NameHash::Of(handle))].fetch_sub(1);
    }
    bool MayHave(TopicKind kind, TopicHandle handle, uint64_t hash) const {
      return counts_[PlaceOf(kind, handle, hash)].load() != 0;
    }

   private:
    size_t PlaceOf(TopicKind kind, TopicHandle handle, uint64_t hash) const {
      const uint64_t sort =
          static_cast<uint64_t>(kind) * kTopicHandles + static_cast<uint64_t>(handle);
      return ((hash >> 32 ^ hash) + sort * 1031) % counts_.size();
    }

    std::array<std::atomic<uint32_t>, 4096> counts_{};
  };

  Table& TableOf(TopicKind kind) { return tables_[static_cast<size_t>(kind)]; }
  Map& MapOf(const Topic& topic) { return TableOf(topic.kind).Of(topic.handle()); }

  // Null if nobody follows the topic, nor did of late; else `place` holds it.
  Followed* Find(const Topic& topic, Map::accessor* place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The handle that fewest topics are found by, and how many these are.
  std::pair<std::string_view, size_t> RarestHandle(const Topic& topic)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether the topic was not followed before.
  absl::StatusOr<bool> Add(const TopicRef& topic, uint64_t stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether the stream was the last: then the topic is to linger until that time.
  bool Remove(const Topic& topic, uint64_t stream, Clock::time_point until)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t SetSince(const Topic& topic, uint64_t sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetIfOver(const Topic& topic, Clock::time_point now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same for the first that lingers.
  void ForgetFirst(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls visit(followed) for each topic that matches the name.
  template <typename Visit>
  void ForEach(TopicKind kind, std::string_view name, Visit visit) const;

  EventLog& log_;
  const Clock::duration linger_;
  const uint64_t most_lingering_bytes_;
  Sketch sketch_;
  std::array<Table, 2> tables_;  // by TopicKind
  std::atomic<size_t> key_topics_{0};
  Mutex mutex_;  // whoever changes what is above holds it; whoever asks does not
  std::deque<Lingering> lingering_ ABSL_GUARDED_BY(mutex_);  // by `until`
  uint64_t lingering_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
