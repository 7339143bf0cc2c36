#include "server/events/interests.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "server/call/status.h"
#include "server/events/topic_bytes.h"

namespace ferrite {
namespace {

constexpr uint64_t kUnknown = UINT64_MAX;
// Topics that linger; beyond it the oldest are forgotten early.
constexpr size_t kMostLingering = 65'536;

// How many lingering topics are forgotten before others get the lock.
constexpr size_t kSweepStep = 256;

absl::Status SharesTooMuch(const Topic& topic) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "the literal parts of the glob \"" + absl::CHexEscape(topic.glob_text) +
                       "\" are those of " + std::to_string(Interests::kMostSharing) +
                       " other globs, and no more may have the same; a longer literal part of its "
                       "own, or a channel without a glob, has no such limit",
                   {{"limit", std::to_string(Interests::kMostSharing)}});
}

}  // namespace

absl::StatusOr<uint64_t> Interests::Follow(const std::vector<TopicRef>& topics, uint64_t stream,
                                           absl::FunctionRef<void()> listen) {
  MutexLock lock(&mutex_);
  bool any_new = false;
  for (auto topic = topics.begin(); topic != topics.end(); ++topic) {
    const absl::StatusOr<bool> is_new = Add(*topic, stream);
    if (is_new.ok()) {
      any_new |= *is_new;
      continue;
    }
    while (topic != topics.begin()) {
      --topic;
      if (Remove(**topic, stream, Clock::time_point::min()))
        ForgetIfOver(**topic, Clock::time_point::min());
    }
    return is_new.status();
  }
  listen();
  // Taken when the topics can be found: who records from here on has recorded what they ask for. A
  // sequence of its own tells tokens from before, after which something was not recorded.
  const uint64_t sequence = any_new ? log_.Advance() : log_.last_sequence();
  uint64_t since = 0;
  for (const TopicRef& topic : topics) since = std::max(since, SetSince(*topic, sequence));
  return since;
}

Interests::Followed* Interests::Find(const Topic& topic, Map::accessor* place) {
  for (const std::string& handle : topic.handles()) {
    if (!MapOf(topic).find(*place, handle)) continue;
    for (Followed& followed : (*place)->second) {
      if (followed.topic->SameAs(topic)) return &followed;
    }
  }
  place->release();
  return nullptr;
}

std::pair<std::string_view, size_t> Interests::RarestHandle(const Topic& topic) {
  std::pair<std::string_view, size_t> rarest = {"", SIZE_MAX};
  for (const std::string& handle : topic.handles()) {
    Map::const_accessor place;
    const size_t sharing = MapOf(topic).find(place, handle) ? place->second.size() : 0;
    if (sharing < rarest.second) rarest = {handle, sharing};
  }
  return rarest;
}

absl::StatusOr<bool> Interests::Add(const TopicRef& topic, uint64_t stream) {
  Map::accessor place;
  if (Followed* const followed = Find(*topic, &place); followed != nullptr) {
    followed->streams.insert(stream);
    return false;
  }
  const auto [handle, sharing] = RarestHandle(*topic);
  if (topic->handle() == TopicHandle::kPart && sharing >= kMostSharing)
    return SharesTooMuch(*topic);
  MapOf(*topic).insert(place, std::string(handle));
  place->second.push_back({topic, kUnknown, {}, {stream}});
  sketch_.Add(*topic, handle);
  Table& table = TableOf(topic->kind);
  if (topic->handle() == TopicHandle::kPrefix) table.prefix_lengths.Add(handle.size());
  if (topic->handle() == TopicHandle::kPart) table.part_lengths.Add(handle.size());
  if (topic->kind == TopicKind::kKey) ++key_topics_;
  return true;
}

uint64_t Interests::SetSince(const Topic& topic, uint64_t sequence) {
  Map::accessor place;
  Followed& followed = *Find(topic, &place);
  if (followed.since == kUnknown) followed.since = sequence;
  return followed.since;
}

void Interests::Unfollow(const std::vector<TopicRef>& topics, uint64_t stream,
                         Clock::time_point now) {
  MutexLock lock(&mutex_);
  for (const TopicRef& topic : topics) {
    if (!Remove(*topic, stream, now + linger_)) continue;
    lingering_.push_back({now + linger_, topic});
    lingering_bytes_ += BytesOf(*topic);
  }
  while (lingering_.size() > kMostLingering || lingering_bytes_ > most_lingering_bytes_)
    ForgetFirst(Clock::time_point::max());
}

bool Interests::Remove(const Topic& topic, uint64_t stream, Clock::time_point until) {
  Map::accessor place;
  Followed* const followed = Find(topic, &place);
  // A topic that the stream names twice is left once.
  if (followed == nullptr || followed->streams.erase(stream) == 0) return false;
  followed->until = until;
  return followed->streams.empty();
}

void Interests::Sweep(Clock::time_point now) {
  for (bool more = true; more;) {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < kSweepStep; ++i) {
      more = !lingering_.empty() && lingering_.front().until <= now;
      if (!more) break;
      ForgetFirst(now);
    }
  }
}

void Interests::ForgetFirst(Clock::time_point now) {
  const TopicRef topic = std::move(lingering_.front().topic);
  lingering_.pop_front();
  lingering_bytes_ -= BytesOf(*topic);
  ForgetIfOver(*topic, now);
}

void Interests::ForgetIfOver(const Topic& topic, Clock::time_point now) {
  Map::accessor place;
  Followed* const followed = Find(topic, &place);
  // It may be followed again, or have been left again since.
  if (followed == nullptr || !followed->streams.empty() || followed->until > now) return;
  const std::string handle = place->first;
  std::swap(*followed, place->second.back());
  place->second.pop_back();
  if (place->second.empty()) MapOf(topic).erase(place);
  sketch_.Remove(topic, handle);
  Table& table = TableOf(topic.kind);
  if (topic.handle() == TopicHandle::kPrefix) table.prefix_lengths.Remove(handle.size());
  if (topic.handle() == TopicHandle::kPart) table.part_lengths.Remove(handle.size());
  if (topic.kind == TopicKind::kKey) --key_topics_;
}

template <typename Visit>
void Interests::ForEach(TopicKind kind, std::string_view name, Visit visit) const {
  const Table& table = tables_[static_cast<size_t>(kind)];
  const auto look_up = [&](TopicHandle handle, std::string_view text) {
    Map::const_accessor place;
    thread_local std::string key;  // kept, as a key's lock may be held
    key = text;
    if (!table.Of(handle).find(place, key)) return;
    for (const Followed& followed : place->second) {
      if (followed.topic->MatchesName(name)) visit(followed);
    }
  };
  if (sketch_.MayHave(kind, TopicHandle::kName, NameHash::Of(name)))
    look_up(TopicHandle::kName, name);
  table.prefix_lengths.ForEachIn(name, [&](std::string_view prefix, uint64_t hash) {
    if (sketch_.MayHave(kind, TopicHandle::kPrefix, hash)) look_up(TopicHandle::kPrefix, prefix);
  });
  absl::flat_hash_set<std::string_view> seen;
  table.part_lengths.ForEachIn(name, [&](std::string_view part, uint64_t hash) {
    if (sketch_.MayHave(kind, TopicHandle::kPart, hash) && seen.insert(part).second)
      look_up(TopicHandle::kPart, part);
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
