#include "server/events/recorded_event.h"

#include <utility>

#include "proto/wire/event_codec.h"

namespace ferrite {
namespace {

static_assert(ResumeToken::kBytes == kResumeTokenBytes);

v1::KeyEventKind ToWire(EventKind kind) {
  switch (kind) {
    case EventKind::kSet:
      return v1::KEY_EVENT_KIND_SET;
    case EventKind::kIncr:
      return v1::KEY_EVENT_KIND_INCR;
    case EventKind::kDelete:
      return v1::KEY_EVENT_KIND_DELETE;
    case EventKind::kExpire:
      return v1::KEY_EVENT_KIND_EXPIRE;
    case EventKind::kEvict:
      return v1::KEY_EVENT_KIND_EVICT;
  }
  return v1::KEY_EVENT_KIND_UNSPECIFIED;
}

}  // namespace

std::shared_ptr<RecordedEvent> RecordedEvent::OfMessage(std::string_view channel,
                                                        std::string_view payload) {
  auto event = std::make_shared<RecordedEvent>();
  EncodedEvent encoded = EncodeMessageEvent(channel, payload);
  event->topic_kind_ = TopicKind::kChannel;
  event->topic_begin_ = static_cast<uint32_t>(encoded.topic_begin);
  event->topic_bytes_ = static_cast<uint32_t>(channel.size());
  event->encoded_ = std::move(encoded.bytes);
  return event;
}

std::shared_ptr<RecordedEvent> RecordedEvent::OfKey(const StoreEvent& event, bool with_value) {
  auto recorded = std::make_shared<RecordedEvent>();
  KeyEventFields fields = {.key = event.key, .kind = ToWire(event.kind), .version = event.version};
  EncodedEvent encoded = EncodeKeyEvent(fields);
  recorded->topic_kind_ = TopicKind::kKey;
  recorded->key_event_kind_ = event.kind;
  recorded->topic_begin_ = static_cast<uint32_t>(encoded.topic_begin);
  recorded->topic_bytes_ = static_cast<uint32_t>(event.key.size());
  recorded->encoded_ = std::move(encoded.bytes);
  const bool written = event.kind == EventKind::kSet || event.kind == EventKind::kIncr;
  if (with_value && written) {
    fields.value = event.value;
    recorded->encoded_with_value_ = EncodeKeyEvent(fields).bytes;
  }
  return recorded;
}

void RecordedEvent::SetPlace(const ResumeToken& place) {
  sequence_ = place.sequence;
  char token[ResumeToken::kBytes];
  place.Write(token);
  for (std::string* encoded : {&encoded_, &encoded_with_value_}) {
    if (!encoded->empty()) SetEventPlace(place.sequence, {token, sizeof(token)}, encoded);
  }
}

}  // namespace ferrite
