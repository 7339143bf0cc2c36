#pragma once

// A SubscriptionEvent as bytes. A server encodes an event once for all of its subscribers, before
// it is known where in the log its place will be: `sequence` and `resume_token` come first, take
// the same room in every event, and are filled in by SetEventPlace. What differs from subscriber to
// subscriber, `coalesced`, follows the encoded event.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_writer.h"

namespace ferrite {

// The size of a resume token.
inline constexpr size_t kResumeTokenBytes = 16;

// An event that has no place yet.
struct EncodedEvent {
  std::string bytes;
  // Where in `bytes` the channel or key begins.
  size_t topic_begin = 0;
};

EncodedEvent EncodeMessageEvent(std::string_view channel, std::string_view payload);

struct KeyEventFields {
  std::string_view key;
  v1::KeyEventKind kind = v1::KEY_EVENT_KIND_UNSPECIFIED;
  uint64_t version = 0;
  std::optional<std::string_view> value;
};
EncodedEvent EncodeKeyEvent(const KeyEventFields& fields);

// Fills in the place of an encoded event. `resume_token` has kResumeTokenBytes.
void SetEventPlace(uint64_t sequence, std::string_view resume_token, std::string* event);

// Appends an encoded event to a SubscribeResponse. `append_event()` appends the event's bytes to
// the same sink (see nesting.h), so that it may do so by reference. `coalesced` 0 is left out.
template <typename Sink, typename AppendEvent>
void WriteEncodedEvent(size_t event_size, uint64_t coalesced, const AppendEvent& append_event,
                       Sink* sink) {
  constexpr int kEvents = v1::SubscribeResponse::kEventsFieldNumber;
  constexpr int kCoalesced = v1::SubscriptionEvent::kCoalescedFieldNumber;
  const size_t suffix = coalesced == 0 ? 0 : IntegerFieldSize(kCoalesced, coalesced);
  const size_t size = event_size + suffix;
  FieldWriter(sink->Append(HeadSize(kEvents, size))).Head(kEvents, size);
  append_event();
  if (suffix != 0) FieldWriter(sink->Append(suffix)).Integer(kCoalesced, coalesced);
}

// An event as a subscriber reads it. Points into the message.
struct EventFields {
  uint64_t sequence = 0;
  std::string_view resume_token;
  // The field of `event` that is set, and the message in it. 0: none.
  int event_field = 0;
  std::string_view event;
  uint64_t coalesced = 0;
};

// Each reads a serialized message. Absent if it is malformed.
std::optional<EventFields> ReadEvent(std::string_view message);
std::optional<KeyEventFields> ReadKeyEvent(std::string_view message);
struct ChannelMessageFields {
  std::string_view channel;
  std::string_view payload;
};
std::optional<ChannelMessageFields> ReadChannelMessage(std::string_view message);

}  // namespace ferrite
