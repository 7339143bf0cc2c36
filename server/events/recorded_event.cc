#include "server/events/recorded_event.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstring>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// The fields `sequence` and `resume_token` stand first, and take the same room in every event, so
// that they can be filled in when the event gets its place in the log.
constexpr size_t kSequenceAt = 1;
constexpr size_t kTokenAt = kSequenceAt + sizeof(uint64_t) + 2;
constexpr size_t kPlaceBytes = kTokenAt + ResumeToken::kBytes;

uint8_t TagOf(int field, WireFormatLite::WireType type) {
  return static_cast<uint8_t>(WireFormatLite::MakeTag(field, type));
}

size_t BytesFieldSize(std::string_view bytes) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(bytes.size())) + bytes.size();
}

uint8_t* WriteHead(int field, size_t bytes, uint8_t* at) {
  *at++ = TagOf(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(bytes), at);
}

uint8_t* WriteBytes(int field, std::string_view bytes, uint8_t* at) {
  at = WriteHead(field, bytes.size(), at);
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// Makes room for an event whose own message is of that field and size, and begins it; returns where
// that message's fields go.
uint8_t* Begin(int field, size_t bytes, std::string* encoded) {
  using Event = v1::SubscriptionEvent;
  encoded->resize(kPlaceBytes + 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(bytes)) +
                  bytes);
  uint8_t* const at = reinterpret_cast<uint8_t*>(encoded->data());
  at[0] = TagOf(Event::kSequenceFieldNumber, WireFormatLite::WIRETYPE_FIXED64);
  WriteHead(Event::kResumeTokenFieldNumber, ResumeToken::kBytes, at + kTokenAt - 2);
  return WriteHead(field, bytes, at + kPlaceBytes);
}

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

// Returns the size of the event's own message.
size_t EncodeKeyEvent(const StoreEvent& event, bool with_value, std::string* encoded) {
  using Message = v1::KeyEvent;
  size_t bytes = BytesFieldSize(event.key) + 2 + 1 + CodedOutputStream::VarintSize64(event.version);
  if (with_value) bytes += BytesFieldSize(event.value);
  uint8_t* at = Begin(v1::SubscriptionEvent::kKeyEventFieldNumber, bytes, encoded);
  at = WriteBytes(Message::kKeyFieldNumber, event.key, at);
  *at++ = TagOf(Message::kKindFieldNumber, WireFormatLite::WIRETYPE_VARINT);
  *at++ = static_cast<uint8_t>(ToWire(event.kind));
  *at++ = TagOf(Message::kVersionFieldNumber, WireFormatLite::WIRETYPE_VARINT);
  at = CodedOutputStream::WriteVarint64ToArray(event.version, at);
  if (with_value) WriteBytes(Message::kValueFieldNumber, event.value, at);
  return bytes;
}

// Where the first field of the event's own message, the topic, has its bytes.
uint32_t TopicBegin(const std::string& encoded, size_t message_bytes, size_t topic_bytes) {
  return static_cast<uint32_t>(encoded.size() - message_bytes + 1 +
                               CodedOutputStream::VarintSize32(static_cast<uint32_t>(topic_bytes)));
}

}  // namespace

std::shared_ptr<RecordedEvent> RecordedEvent::OfMessage(std::string_view channel,
                                                        std::string_view payload) {
  using Message = v1::ChannelMessage;
  auto event = std::make_shared<RecordedEvent>();
  const size_t bytes = BytesFieldSize(channel) + BytesFieldSize(payload);
  uint8_t* at = Begin(v1::SubscriptionEvent::kMessageFieldNumber, bytes, &event->encoded_);
  at = WriteBytes(Message::kChannelFieldNumber, channel, at);
  WriteBytes(Message::kPayloadFieldNumber, payload, at);
  event->topic_kind_ = TopicKind::kChannel;
  event->topic_begin_ = TopicBegin(event->encoded_, bytes, channel.size());
  event->topic_bytes_ = static_cast<uint32_t>(channel.size());
  return event;
}

std::shared_ptr<RecordedEvent> RecordedEvent::OfKey(const StoreEvent& event, bool with_value) {
  auto recorded = std::make_shared<RecordedEvent>();
  const size_t bytes = EncodeKeyEvent(event, false, &recorded->encoded_);
  const bool written = event.kind == EventKind::kSet || event.kind == EventKind::kIncr;
  if (with_value && written) EncodeKeyEvent(event, true, &recorded->encoded_with_value_);
  recorded->topic_kind_ = TopicKind::kKey;
  recorded->key_event_kind_ = event.kind;
  recorded->topic_begin_ = TopicBegin(recorded->encoded_, bytes, event.key.size());
  recorded->topic_bytes_ = static_cast<uint32_t>(event.key.size());
  return recorded;
}

void RecordedEvent::SetPlace(const ResumeToken& place) {
  sequence_ = place.sequence;
  for (std::string* encoded : {&encoded_, &encoded_with_value_}) {
    if (encoded->empty()) continue;
    std::memcpy(encoded->data() + kSequenceAt, &place.sequence, sizeof(place.sequence));
    place.Write(encoded->data() + kTokenAt);
  }
}

}  // namespace ferrite
