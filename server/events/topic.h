#pragma once

// One thing that a stream follows: a channel, a glob of channels, a key, or a key prefix.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/events/glob.h"
#include "server/events/recorded_event.h"
#include "store/event.h"

namespace ferrite {

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

  // Whether a name matches of which it is known that it is, or begins with, `name`. No glob matches
  // channels that begin with a zero byte, which programs use among themselves.
  bool MatchesRestOf(std::string_view whole) const {
    return !glob.has_value() ||
           (!whole.starts_with('\0') && glob->MatchesRest(whole.substr(name.size())));
  }
  bool Matches(const RecordedEvent& event) const {
    if (event.topic_kind() != kind || !Takes(event)) return false;
    const std::string_view topic = event.topic();
    return exact ? topic == name : topic.starts_with(name) && MatchesRestOf(topic);
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
