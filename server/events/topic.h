#pragma once

// One thing that a stream follows: a channel, a glob of channels, a key, or a key prefix.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "server/events/glob.h"
#include "server/events/recorded_event.h"
#include "store/event.h"

namespace ferrite {

// How topics are found by the names that they match: by the whole name, by what it begins with, or
// by a part that is somewhere in it.
enum class TopicHandle { kName, kPrefix, kPart };
inline constexpr size_t kTopicHandles = 3;

// A set of EventKind.
using EventKinds = uint8_t;
constexpr EventKinds KindBit(EventKind kind) {
  return static_cast<EventKinds>(1u << static_cast<unsigned>(kind));
}
inline constexpr EventKinds kAllEventKinds = 0x1f;

// Immutable. Thread-safe.
struct Topic {
  TopicKind kind = TopicKind::kChannel;
  // Whether `name` is the whole name, or what names begin with.
  bool exact = true;
  std::string name;
  // What the rest of the name has to match, if not everything. Only of channels.
  std::optional<Glob> glob;
  std::string glob_text;  // as the client wrote it
  // Only of keys.
  EventKinds kinds = kAllEventKinds;
  bool with_value = false;

  TopicHandle handle() const {
    if (exact) return TopicHandle::kName;
    return glob.has_value() && !glob->IsPrefix() ? TopicHandle::kPart : TopicHandle::kPrefix;
  }
  // The strings by one of which, whichever fewest other topics share, the topic is found.
  absl::Span<const std::string> handles() const {
    return handle() == TopicHandle::kPart ? absl::MakeConstSpan(glob->parts())
                                          : absl::MakeConstSpan(&name, 1);
  }

  // Whether a name matches of which it is known that it is, or begins with, `name`. No glob matches
  // channels that begin with a zero byte, which programs use among themselves.
  bool MatchesRestOf(std::string_view whole) const {
    return !glob.has_value() ||
           (!whole.starts_with('\0') && glob->MatchesRest(whole.substr(name.size())));
  }
  bool MatchesName(std::string_view whole) const {
    return exact ? whole == name : whole.starts_with(name) && MatchesRestOf(whole);
  }
  bool Matches(const RecordedEvent& event) const {
    return event.topic_kind() == kind && Takes(event) && MatchesName(event.topic());
  }
  // Whether it is what is asked for. An event without the value that is asked for was under way
  // when the topic began to be followed; whoever follows it need not be told of it.
  bool Takes(const RecordedEvent& event) const {
    return kind == TopicKind::kChannel ||
           ((kinds & KindBit(event.key_event_kind())) != 0 && !(with_value && event.LacksValue()));
  }
  // Whether both ask for the same events.
  bool SameAs(const Topic& other) const {
    return kind == other.kind && exact == other.exact && name == other.name &&
           glob_text == other.glob_text && kinds == other.kinds && with_value == other.with_value;
  }
};

using TopicRef = std::shared_ptr<const Topic>;

}  // namespace ferrite
