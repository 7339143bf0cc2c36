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
  event->is_complete_ = true;
  return event;
}

std::shared_ptr<RecordedEvent> RecordedEvent::OfKey(const StoreEvent& event, bool with_value) {
  auto recorded = std::make_shared<RecordedEvent>();
  recorded->Encode(event, with_value);
  recorded->is_complete_ = true;
  return recorded;
}

uint64_t RecordedEvent::BytesFor(std::string_view key, std::optional<std::string_view> value) {
  constexpr uint64_t kOtherFields = 48;
  uint64_t bytes = sizeof(RecordedEvent) + kOtherFields + key.size();
  if (value.has_value()) bytes += kOtherFields + key.size() + value->size();
  return bytes;
}

void RecordedEvent::Complete(const StoreEvent& event, bool with_value) {
  Encode(event, with_value);
  EncodePlace();
  is_complete_.store(true, std::memory_order_release);
}

void RecordedEvent::Encode(const StoreEvent& event, bool with_value) {
  KeyEventFields fields = {.key = event.key, .kind = ToWire(event.kind), .version = event.version};
  EncodedEvent encoded = EncodeKeyEvent(fields);
  topic_kind_ = TopicKind::kKey;
  key_event_kind_ = event.kind;
  topic_begin_ = static_cast<uint32_t>(encoded.topic_begin);
  topic_bytes_ = static_cast<uint32_t>(event.key.size());
  encoded_ = std::move(encoded.bytes);
  const bool written = event.kind == EventKind::kSet || event.kind == EventKind::kIncr;
  if (with_value && written) {
    fields.value = event.value;
    encoded_with_value_ = EncodeKeyEvent(fields).bytes;
  }
}

void RecordedEvent::SetPlace(const ResumeToken& place) {
  place_ = place;
  if (!encoded_.empty()) EncodePlace();
}

void RecordedEvent::EncodePlace() {
  char token[ResumeToken::kBytes];
  place_.Write(token);
  for (std::string* encoded : {&encoded_, &encoded_with_value_}) {
    if (!encoded->empty()) SetEventPlace(place_.sequence, {token, sizeof(token)}, encoded);
  }
}

}  // namespace ferrite
