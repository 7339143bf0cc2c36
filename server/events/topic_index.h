#pragma once

// The streams of one thread by what they follow.

#include <array>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/events/prefix_lengths.h"
#include "server/events/topic.h"

namespace ferrite {

class SubscriberStream;

// Not thread-safe.
class TopicIndex {
 public:
  void Add(const Topic* topic, SubscriberStream* subscription) {
    (*MapOf(*topic))[NameHash::Of(topic->name)].push_back({topic, subscription});
    if (!topic->exact) tables_[Number(topic->kind)].lengths.Add(topic->name.size());
  }
  void Remove(const Topic* topic, const SubscriberStream* subscription) {
    Map* const map = MapOf(*topic);
    const auto place = map->find(NameHash::Of(topic->name));
    std::erase_if(place->second, [&](const Follower& follower) {
      return follower.topic == topic && follower.subscription == subscription;
    });
    if (place->second.empty()) map->erase(place);
    if (!topic->exact) tables_[Number(topic->kind)].lengths.Remove(topic->name.size());
  }

  // Calls visit(subscription) for each stream that the event is for; several times if the stream
  // follows its topic in several ways.
  template <typename Visit>
  void ForEach(const RecordedEvent& event, Visit visit) const {
    const Table& table = tables_[Number(event.topic_kind())];
    const std::string_view name = event.topic();
    const auto look_up = [&](const Map& map, std::string_view begin, uint64_t hash) {
      const auto place = map.find(hash);
      if (place == map.end()) return;
      for (const Follower& follower : place->second) {
        const Topic& topic = *follower.topic;
        if (topic.name == begin && topic.Takes(event) && topic.MatchesRestOf(name)) {
          visit(follower.subscription);
        }
      }
    };
    look_up(table.exact, name, NameHash::Of(name));
    table.lengths.ForEachIn(name, [&](std::string_view prefix, uint64_t hash) {
      look_up(table.prefixes, prefix, hash);
    });
  }

 private:
  struct Follower {
    const Topic* topic;
    SubscriberStream* subscription;
  };
  using Map = absl::flat_hash_map<uint64_t, std::vector<Follower>>;  // by NameHash
  struct Table {
    Map exact;
    Map prefixes;
    PrefixLengths lengths;
  };

  static size_t Number(TopicKind kind) { return static_cast<size_t>(kind); }
  Map* MapOf(const Topic& topic) {
    Table& table = tables_[Number(topic.kind)];
    return topic.exact ? &table.exact : &table.prefixes;
  }

  std::array<Table, 2> tables_;
};

}  // namespace ferrite
