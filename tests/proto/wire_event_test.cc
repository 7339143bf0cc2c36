// Events of subscriptions, compared with what protobuf makes of the same messages.

#include <gtest/gtest.h>

#include <string>

#include "proto/wire/event_codec.h"
#include "tests/proto/wire_bytes.h"

namespace ferrite {
namespace {

// A token; no token is empty, so protobuf always writes it.
const std::string kToken(kResumeTokenBytes, 't');

v1::SubscriptionEvent RandomEvent(RandomContent* random) {
  v1::SubscriptionEvent event;
  event.set_sequence(1 + (random->Integer() >> 1));  // no event has the sequence 0
  event.set_resume_token(kToken);
  if (random->Chance(2)) {
    event.mutable_message()->set_channel("c" + random->Bytes());
    event.mutable_message()->set_payload("p" + random->Bytes());
  } else {
    v1::KeyEvent* const key_event = event.mutable_key_event();
    key_event->set_key("k" + random->Bytes());
    key_event->set_kind(static_cast<v1::KeyEventKind>(1 + random->Below(5)));
    key_event->set_version(1 + (random->Integer() >> 1));
    if (random->Chance(2)) key_event->set_value(random->Bytes());
  }
  if (random->Chance(2)) event.set_coalesced(random->Integer());
  return event;
}

// The event without `coalesced`.
EncodedEvent Encoded(const v1::SubscriptionEvent& event) {
  EncodedEvent encoded;
  if (event.has_message()) {
    encoded = EncodeMessageEvent(event.message().channel(), event.message().payload());
  } else {
    const v1::KeyEvent& key_event = event.key_event();
    KeyEventFields fields = {
        .key = key_event.key(), .kind = key_event.kind(), .version = key_event.version()};
    if (key_event.has_value()) fields.value = key_event.value();
    encoded = EncodeKeyEvent(fields);
  }
  SetEventPlace(event.sequence(), event.resume_token(), &encoded.bytes);
  return encoded;
}

TEST(WireEventTest, IsWrittenAsProtobufWritesIt) {
  RandomContent random(1);
  StringSink sink;
  v1::SubscribeResponse response;
  std::string written;
  for (int i = 0; i < 1000; ++i) {
    const v1::SubscriptionEvent event = RandomEvent(&random);
    *response.add_events() = event;
    const EncodedEvent encoded = Encoded(event);
    WriteEncodedEvent(
        encoded.bytes.size(), event.coalesced(), [&] { sink.AppendCopy(encoded.bytes); }, &sink);
    written += sink.Take();
    const std::string& topic =
        event.has_message() ? event.message().channel() : event.key_event().key();
    EXPECT_EQ(encoded.bytes.substr(encoded.topic_begin, topic.size()), topic);
  }
  EXPECT_EQ(written, response.SerializeAsString());
}

TEST(WireEventTest, WithoutAPayloadIsTheSameEventToProtobuf) {
  EncodedEvent encoded = EncodeMessageEvent("c", "");
  SetEventPlace(7, kToken, &encoded.bytes);
  v1::SubscriptionEvent event;
  ASSERT_TRUE(event.ParseFromString(encoded.bytes));
  EXPECT_EQ(event.sequence(), 7u);
  EXPECT_EQ(event.resume_token(), kToken);
  EXPECT_EQ(event.message().channel(), "c");
  EXPECT_EQ(event.message().payload(), "");
}

TEST(WireEventTest, IsReadAsProtobufWroteIt) {
  RandomContent random(2);
  for (int i = 0; i < 1000; ++i) {
    const v1::SubscriptionEvent event = RandomEvent(&random);
    const std::string bytes = event.SerializeAsString() + UnknownFields();
    const auto fields = ReadEvent(bytes);
    ASSERT_TRUE(fields.has_value());
    EXPECT_EQ(fields->sequence, event.sequence());
    EXPECT_EQ(fields->resume_token, event.resume_token());
    EXPECT_EQ(fields->coalesced, event.coalesced());
    EXPECT_EQ(fields->event_field, static_cast<int>(event.event_case()));
    if (event.has_message()) {
      const auto message = ReadChannelMessage(fields->event);
      ASSERT_TRUE(message.has_value());
      EXPECT_EQ(message->channel, event.message().channel());
      EXPECT_EQ(message->payload, event.message().payload());
    } else {
      const auto key_event = ReadKeyEvent(fields->event);
      ASSERT_TRUE(key_event.has_value());
      EXPECT_EQ(key_event->key, event.key_event().key());
      EXPECT_EQ(key_event->kind, event.key_event().kind());
      EXPECT_EQ(key_event->version, event.key_event().version());
      EXPECT_EQ(key_event->value.has_value(), event.key_event().has_value());
      EXPECT_EQ(key_event->value.value_or(""), event.key_event().value());
    }
  }
}

TEST(WireEventTest, UnknownFieldsOfItsMessageChangeNothing) {
  v1::KeyEvent key_event;
  key_event.set_key("k");
  key_event.set_version(5);
  const std::string bytes = UnknownFields() + key_event.SerializeAsString() + UnknownFields();
  EXPECT_EQ(ReadKeyEvent(bytes)->key, "k");
  EXPECT_EQ(ReadKeyEvent(bytes)->version, 5u);
  v1::ChannelMessage message;
  message.set_channel("c");
  EXPECT_EQ(ReadChannelMessage(UnknownFields() + message.SerializeAsString())->channel, "c");
}

TEST(WireEventTest, CutOffItIsReadAsProtobufReadsItOrNotAtAll) {
  v1::SubscriptionEvent event;
  event.set_sequence(9);
  event.set_resume_token(kToken);
  event.mutable_key_event()->set_key("key");
  event.mutable_key_event()->set_kind(v1::KEY_EVENT_KIND_SET);
  event.mutable_key_event()->set_version(uint64_t{1} << 60);
  event.mutable_key_event()->set_value(std::string(150, 'v'));
  event.set_coalesced(300);
  const std::string bytes = event.SerializeAsString();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_EQ(ReadEvent(cut).has_value(), v1::SubscriptionEvent().ParseFromString(cut)) << size;
  }
  const std::string key_event = event.key_event().SerializeAsString();
  for (size_t size = 0; size <= key_event.size(); ++size) {
    const std::string cut = key_event.substr(0, size);
    EXPECT_EQ(ReadKeyEvent(cut).has_value(), v1::KeyEvent().ParseFromString(cut)) << size;
    EXPECT_EQ(ReadChannelMessage(cut).has_value(), v1::ChannelMessage().ParseFromString(cut));
  }
}

}  // namespace
}  // namespace ferrite
