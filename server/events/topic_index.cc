#include "server/events/topic_index.h"

#include <algorithm>
#include <utility>

namespace ferrite {

void TopicIndex::Add(const TopicRef& topic, SubscriberStream* stream) {
  Table& table = tables_[Number(topic->kind)];
  Map* const map = table.Of(topic->handle());
  const std::string* rarest = nullptr;
  size_t fewest = SIZE_MAX;
  for (const std::string& handle : topic->handles()) {
    const auto place = map->find(NameHash::Of(handle));
    if (place == map->end()) {
      if (fewest > 0) rarest = &handle;
      fewest = 0;
      continue;
    }
    for (Followed& followed : place->second) {
      if (!followed.topic->SameAs(*topic)) continue;
      followed.streams.insert(stream);
      return;
    }
    if (place->second.size() < fewest) rarest = &handle;
    fewest = std::min(fewest, place->second.size());
  }
  (*map)[NameHash::Of(*rarest)].push_back({topic, {stream}});
  if (topic->handle() == TopicHandle::kPrefix) table.prefix_lengths.Add(rarest->size());
  if (topic->handle() == TopicHandle::kPart) table.part_lengths.Add(rarest->size());
}

void TopicIndex::Remove(const Topic& topic, SubscriberStream* stream) {
  Table& table = tables_[Number(topic.kind)];
  Map* const map = table.Of(topic.handle());
  for (const std::string& handle : topic.handles()) {
    const auto place = map->find(NameHash::Of(handle));
    if (place == map->end()) continue;
    std::vector<Followed>& all = place->second;
    const auto followed = std::find_if(
        all.begin(), all.end(), [&](const Followed& each) { return each.topic->SameAs(topic); });
    if (followed == all.end()) continue;
    followed->streams.erase(stream);
    if (!followed->streams.empty()) return;
    std::swap(*followed, all.back());
    all.pop_back();
    if (all.empty()) map->erase(place);
    if (topic.handle() == TopicHandle::kPrefix) table.prefix_lengths.Remove(handle.size());
    if (topic.handle() == TopicHandle::kPart) table.part_lengths.Remove(handle.size());
    return;
  }
}

}  // namespace ferrite
