#pragma once

// The streams of one thread by what they follow.

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "server/events/part_lengths.h"
#include "server/events/prefix_lengths.h"
#include "server/events/topic.h"

namespace ferrite {

class SubscriberStream;

// Not thread-safe.
class TopicIndex {
 public:
  void Add(const TopicRef& topic, SubscriberStream* stream);
  // The stream follows the topic.
  void Remove(const Topic& topic, SubscriberStream* stream);

  // Calls visit(stream) for each stream that the event is for; several times if the stream follows
  // its topic in several ways.
  template <typename Visit>
  void ForEach(const RecordedEvent& event, Visit visit) const {
    const Table& table = tables_[Number(event.topic_kind())];
    const std::string_view name = event.topic();
    const auto look_up = [&](const Map& map, uint64_t hash) {
      const auto place = map.find(hash);
      if (place == map.end()) return;
      for (const Followed& followed : place->second) {
        if (!followed.topic->Matches(event)) continue;
        for (SubscriberStream* stream : followed.streams) visit(stream);
      }
    };
    look_up(table.names, NameHash::Of(name));
    table.prefix_lengths.ForEachIn(
        name, [&](std::string_view, uint64_t hash) { look_up(table.prefixes, hash); });
    absl::flat_hash_set<uint64_t> seen;
    table.part_lengths.ForEachIn(name, [&](std::string_view, uint64_t hash) {
      if (table.parts.contains(hash) && seen.insert(hash).second) look_up(table.parts, hash);
    });
  }

 private:
  // The topic, which is the same for all of them, is that of one of the streams.
  struct Followed {
    TopicRef topic;
    absl::flat_hash_set<SubscriberStream*> streams;
  };
  // By the NameHash of one of the topic's handles; where two have the same, both are looked at.
  using Map = absl::flat_hash_map<uint64_t, std::vector<Followed>>;
  struct Table {
    Map names;
    Map prefixes;
    Map parts;
    PrefixLengths prefix_lengths;
    PartLengths part_lengths;

    Map* Of(TopicHandle handle) {
      return handle == TopicHandle::kName     ? &names
             : handle == TopicHandle::kPrefix ? &prefixes
                                              : &parts;
    }
  };

  static size_t Number(TopicKind kind) { return static_cast<size_t>(kind); }

  std::array<Table, 2> tables_;
};

}  // namespace ferrite
