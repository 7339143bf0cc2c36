#include "server/events/interests.h"

#include <algorithm>
#include <utility>

namespace ferrite {
namespace {

constexpr uint64_t kUnknown = UINT64_MAX;
// Topics that linger; beyond it the oldest are forgotten early.
constexpr size_t kMostLingering = 65'536;

auto FindSame(const Topic& topic) {
  return [&topic](const auto& followed) { return followed.topic->SameAs(topic); };
}

}  // namespace

uint64_t Interests::Follow(const std::vector<TopicRef>& topics, uint64_t stream,
                           absl::FunctionRef<void()> listen) {
  MutexLock lock(&mutex_);
  bool any_new = false;
  for (const TopicRef& topic : topics) any_new |= Add(topic, stream);
  listen();
  // Taken when the topics can be found: who records from here on has recorded what they ask for. A
  // sequence of its own tells tokens from before, after which something was not recorded.
  const uint64_t sequence = any_new ? log_.Advance() : log_.last_sequence();
  uint64_t since = 0;
  for (const TopicRef& topic : topics) since = std::max(since, SetSince(*topic, sequence));
  return since;
}

bool Interests::Add(const TopicRef& topic, uint64_t stream) {
  Map::accessor place;
  MapOf(*topic).insert(place, topic->name);
  std::vector<Followed>& all = place->second;
  auto followed = std::find_if(all.begin(), all.end(), FindSame(*topic));
  const bool is_new = followed == all.end();
  if (is_new) {
    followed = all.insert(all.end(), {topic, kUnknown, {}, {}});
    sketch_.Add(*topic);
    if (!topic->exact) TableOf(topic->kind).lengths.Add(topic->name.size());
    if (topic->kind == TopicKind::kKey) ++key_topics_;
  }
  followed->streams.insert(stream);
  return is_new;
}

uint64_t Interests::SetSince(const Topic& topic, uint64_t sequence) {
  Map::accessor place;
  MapOf(topic).find(place, topic.name);
  Followed& followed = *std::find_if(place->second.begin(), place->second.end(), FindSame(topic));
  if (followed.since == kUnknown) followed.since = sequence;
  return followed.since;
}

void Interests::Unfollow(const std::vector<TopicRef>& topics, uint64_t stream,
                         Clock::time_point now) {
  MutexLock lock(&mutex_);
  for (const TopicRef& topic : topics) {
    Map::accessor place;
    MapOf(*topic).find(place, topic->name);
    Followed& followed =
        *std::find_if(place->second.begin(), place->second.end(), FindSame(*topic));
    // A topic that the stream names twice is left once.
    if (followed.streams.erase(stream) == 0 || !followed.streams.empty()) continue;
    followed.until = now + linger_;
    lingering_.push_back({followed.until, topic});
  }
  while (lingering_.size() > kMostLingering) {
    ForgetIfOver(*lingering_.front().topic, Clock::time_point::max());
    lingering_.pop_front();
  }
}

void Interests::Sweep(Clock::time_point now) {
  MutexLock lock(&mutex_);
  while (!lingering_.empty() && lingering_.front().until <= now) {
    ForgetIfOver(*lingering_.front().topic, now);
    lingering_.pop_front();
  }
}

void Interests::ForgetIfOver(const Topic& topic, Clock::time_point now) {
  Map& map = MapOf(topic);
  Map::accessor place;
  if (!map.find(place, topic.name)) return;
  std::vector<Followed>& all = place->second;
  const auto followed = std::find_if(all.begin(), all.end(), FindSame(topic));
  // It may be followed again, or have been left again since.
  if (followed == all.end() || !followed->streams.empty() || followed->until > now) return;
  all.erase(followed);
  if (all.empty()) map.erase(place);
  sketch_.Remove(topic);
  if (!topic.exact) TableOf(topic.kind).lengths.Remove(topic.name.size());
  if (topic.kind == TopicKind::kKey) --key_topics_;
}

template <typename Visit>
void Interests::ForEach(TopicKind kind, std::string_view name, Visit visit) const {
  const Table& table = tables_[static_cast<size_t>(kind)];
  const auto look_up = [&](const Map& map, bool exact, std::string_view begin, uint64_t hash) {
    if (!sketch_.MayHave(kind, exact, hash)) return;
    Map::const_accessor place;
    thread_local std::string text;  // kept, as a key's lock may be held
    text = begin;
    if (!map.find(place, text)) return;
    for (const Followed& followed : place->second) {
      if (followed.topic->MatchesRestOf(name)) visit(followed);
    }
  };
  look_up(table.exact, true, name, NameHash::Of(name));
  table.lengths.ForEachIn(name, [&](std::string_view prefix, uint64_t hash) {
    look_up(table.prefixes, false, prefix, hash);
  });
}

Interests::OfChannel Interests::FindChannel(std::string_view channel) const {
  OfChannel found;
  // A stream that follows the channel in several ways counts once. Most channels are followed in
  // one way, for which there is nothing to be merged.
  size_t ways = 0;
  ForEach(TopicKind::kChannel, channel, [&](const Followed& followed) {
    found.recorded = true;
    found.receivers = ++ways == 1 ? followed.streams.size() : found.receivers;
  });
  if (ways < 2) return found;
  absl::flat_hash_set<uint64_t> streams;
  ForEach(TopicKind::kChannel, channel, [&](const Followed& followed) {
    streams.insert(followed.streams.begin(), followed.streams.end());
  });
  found.receivers = streams.size();
  return found;
}

Interests::OfKey Interests::FindKey(std::string_view key, EventKind kind) const {
  OfKey found;
  ForEach(TopicKind::kKey, key, [&](const Followed& followed) {
    if ((followed.topic->kinds & KindBit(kind)) == 0) return;
    found.recorded = true;
    found.with_value |= followed.topic->with_value;
  });
  return found;
}

}  // namespace ferrite
