#include "proto/wire/event_codec.h"

#include <cstring>

#include "base/check.h"
#include "proto/wire/field_reader.h"

namespace ferrite {
namespace {

using Event = v1::SubscriptionEvent;

// Where the place of an encoded event stands, and where the event's own message begins.
constexpr size_t kSequenceAt = TagSize(Event::kSequenceFieldNumber);
constexpr size_t kTokenAt = Fixed64FieldSize(Event::kSequenceFieldNumber) +
                            HeadSize(Event::kResumeTokenFieldNumber, kResumeTokenBytes);
constexpr size_t kPlaceSize = kTokenAt + kResumeTokenBytes;

// Whether this is a field of `event`.
bool IsKindOfEvent(int number) {
  return number >= Event::kAcknowledgementFieldNumber && number <= Event::kHeartbeatFieldNumber;
}

// Makes room for an event whose own message is of that field and size, and writes what stands
// before that message.
FieldWriter BeginEvent(int field, size_t size, std::string* bytes) {
  constexpr char kNoToken[kResumeTokenBytes] = {};
  bytes->resize(kPlaceSize + BytesFieldSize(field, size));
  FieldWriter writer(bytes->data());
  writer.Fixed64(Event::kSequenceFieldNumber, 0);
  writer.Bytes(Event::kResumeTokenFieldNumber, {kNoToken, kResumeTokenBytes});
  writer.Head(field, size);
  return writer;
}

// Where the first field of the event's own message, the topic, has its bytes.
size_t TopicBegin(const std::string& bytes, size_t message_size, int field,
                  std::string_view topic) {
  return bytes.size() - message_size + HeadSize(field, topic.size());
}

}  // namespace

EncodedEvent EncodeMessageEvent(std::string_view channel, std::string_view payload) {
  using Message = v1::ChannelMessage;
  EncodedEvent event;
  const size_t size = BytesFieldSize(Message::kChannelFieldNumber, channel) +
                      BytesFieldSize(Message::kPayloadFieldNumber, payload);
  FieldWriter writer = BeginEvent(Event::kMessageFieldNumber, size, &event.bytes);
  writer.Bytes(Message::kChannelFieldNumber, channel);
  writer.Bytes(Message::kPayloadFieldNumber, payload);
  event.topic_begin = TopicBegin(event.bytes, size, Message::kChannelFieldNumber, channel);
  return event;
}

EncodedEvent EncodeKeyEvent(const KeyEventFields& fields) {
  using Message = v1::KeyEvent;
  EncodedEvent event;
  const auto kind = static_cast<uint64_t>(fields.kind);
  size_t size = BytesFieldSize(Message::kKeyFieldNumber, fields.key) +
                IntegerFieldSize(Message::kKindFieldNumber, kind) +
                IntegerFieldSize(Message::kVersionFieldNumber, fields.version);
  if (fields.value.has_value()) size += BytesFieldSize(Message::kValueFieldNumber, *fields.value);
  FieldWriter writer = BeginEvent(Event::kKeyEventFieldNumber, size, &event.bytes);
  writer.Bytes(Message::kKeyFieldNumber, fields.key);
  writer.Integer(Message::kKindFieldNumber, kind);
  writer.Integer(Message::kVersionFieldNumber, fields.version);
  if (fields.value.has_value()) writer.Bytes(Message::kValueFieldNumber, *fields.value);
  event.topic_begin = TopicBegin(event.bytes, size, Message::kKeyFieldNumber, fields.key);
  return event;
}

void SetEventPlace(uint64_t sequence, std::string_view resume_token, std::string* event) {
  FERRITE_CHECK(resume_token.size() == kResumeTokenBytes && event->size() >= kPlaceSize);
  std::memcpy(event->data() + kSequenceAt, &sequence, sizeof(sequence));
  std::memcpy(event->data() + kTokenAt, resume_token.data(), kResumeTokenBytes);
}

std::optional<EventFields> ReadEvent(std::string_view message) {
  EventFields fields;
  FieldReader field(message);
  while (field.Next()) {
    if (field.IsFixed64(Event::kSequenceFieldNumber)) {
      fields.sequence = field.fixed64();
    } else if (field.Is(Event::kResumeTokenFieldNumber)) {
      fields.resume_token = field.bytes();
    } else if (field.IsInteger(Event::kCoalescedFieldNumber)) {
      fields.coalesced = field.integer();
    } else if (field.holds_bytes() && IsKindOfEvent(field.number())) {
      fields.event_field = field.number();
      fields.event = field.bytes();
    }
  }
  if (!field.well_formed()) return std::nullopt;
  return fields;
}

std::optional<KeyEventFields> ReadKeyEvent(std::string_view message) {
  using Message = v1::KeyEvent;
  KeyEventFields fields;
  FieldReader field(message);
  while (field.Next()) {
    if (field.Is(Message::kKeyFieldNumber)) fields.key = field.bytes();
    if (field.IsInteger(Message::kKindFieldNumber)) {
      fields.kind = static_cast<v1::KeyEventKind>(field.integer());
    }
    if (field.IsInteger(Message::kVersionFieldNumber)) fields.version = field.integer();
    if (field.Is(Message::kValueFieldNumber)) fields.value = field.bytes();
  }
  if (!field.well_formed()) return std::nullopt;
  return fields;
}

std::optional<ChannelMessageFields> ReadChannelMessage(std::string_view message) {
  using Message = v1::ChannelMessage;
  ChannelMessageFields fields;
  FieldReader field(message);
  while (field.Next()) {
    if (field.Is(Message::kChannelFieldNumber)) fields.channel = field.bytes();
    if (field.Is(Message::kPayloadFieldNumber)) fields.payload = field.bytes();
  }
  if (!field.well_formed()) return std::nullopt;
  return fields;
}

}  // namespace ferrite
