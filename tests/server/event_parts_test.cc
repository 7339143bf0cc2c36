// The parts behind Subscribe, one by one: what is recorded, kept, and queued.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "ferrite/v1/cache.pb.h"
#include "server/events/event_hub.h"
#include "server/events/event_log.h"
#include "server/events/event_queue.h"
#include "server/events/interests.h"

namespace ferrite {
namespace {

using std::chrono::seconds;

std::shared_ptr<RecordedEvent> Message(std::string_view channel, std::string_view payload = "") {
  return RecordedEvent::OfMessage(channel, payload);
}

std::vector<uint64_t> Sequences(const std::vector<EventRef>& events) {
  std::vector<uint64_t> sequences;
  for (const EventRef& event : events) sequences.push_back(event->sequence());
  return sequences;
}

v1::SubscriptionEvent Decoded(const RecordedEvent& event, bool with_value) {
  v1::SubscriptionEvent decoded;
  EXPECT_TRUE(decoded.ParseFromString(std::string(event.encoded(with_value))));
  return decoded;
}

TEST(RecordedEventTest, IsEncodedAsTheContractSays) {
  const auto event = Message("news", std::string(300, 'p'));
  event->SetPlace({.process = 7, .sequence = 9});
  const v1::SubscriptionEvent decoded = Decoded(*event, false);
  EXPECT_EQ(decoded.sequence(), 9u);
  EXPECT_EQ(ResumeToken::Read(decoded.resume_token())->process, 7u);
  EXPECT_EQ(ResumeToken::Read(decoded.resume_token())->sequence, 9u);
  EXPECT_EQ(decoded.message().channel(), "news");
  EXPECT_EQ(decoded.message().payload(), std::string(300, 'p'));
  EXPECT_EQ(event->topic(), "news");
}

TEST(RecordedEventTest, CarriesAValueOnlyForWhoAsks) {
  const auto event = RecordedEvent::OfKey({EventKind::kSet, "key", 5, "value"}, true);
  event->SetPlace({.process = 1, .sequence = 2});
  EXPECT_EQ(Decoded(*event, true).key_event().value(), "value");
  EXPECT_FALSE(Decoded(*event, false).key_event().has_value());
  EXPECT_EQ(Decoded(*event, false).key_event().version(), 5u);
  EXPECT_EQ(Decoded(*event, false).sequence(), 2u);
  EXPECT_EQ(event->topic(), "key");
}

TEST(RecordedEventTest, TellsAnEmptyValueFromNone) {
  const auto written = RecordedEvent::OfKey({EventKind::kSet, "key", 5, ""}, true);
  EXPECT_TRUE(Decoded(*written, true).key_event().has_value());
  const auto deleted = RecordedEvent::OfKey({EventKind::kDelete, "key", 5, ""}, true);
  EXPECT_FALSE(Decoded(*deleted, true).key_event().has_value());
}

TEST(EventLogTest, GivesEventsInOrder) {
  EventLog log({.events = 10, .bytes = 1 << 20});
  for (int i = 0; i < 3; ++i) log.Append(Message("a"));
  std::vector<EventRef> events;
  EXPECT_EQ(log.Read(1, 10, &events).complete_after, 1u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(2, 3));
  EXPECT_EQ(log.last_sequence(), 3u);
}

TEST(EventLogTest, SaysWhatItNoLongerHas) {
  EventLog log({.events = 3, .bytes = 1 << 20});
  for (int i = 0; i < 10; ++i) log.Append(Message("a"));
  std::vector<EventRef> events;
  const EventLog::Stretch stretch = log.Read(2, 2, &events);
  EXPECT_EQ(stretch.complete_after, 7u);
  EXPECT_EQ(stretch.through, 9u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(8, 9));
}

TEST(EventLogTest, HasPlacesWithoutAnEvent) {
  EventLog log({.events = 10, .bytes = 1 << 20});
  log.Append(Message("a"));
  EXPECT_EQ(log.Advance(), 2u);
  log.Append(Message("a"));
  EXPECT_EQ(log.Advance(), 4u);
  std::vector<EventRef> events;
  EXPECT_EQ(log.Read(2, 10, &events).through, 4u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(3));
}

TEST(EventLogTest, KeepsWithinItsBytesButForTheNewest) {
  EventLog log({.events = 100, .bytes = 10'000});
  for (int i = 0; i < 10; ++i) log.Append(Message("a", std::string(3000, 'p')));
  EXPECT_EQ(log.events(), 3u);
  EXPECT_LE(log.bytes(), 10'000u);
  log.Append(Message("a", std::string(50'000, 'p')));
  EXPECT_EQ(log.events(), 1u);
}

std::shared_ptr<RecordedEvent> Reserved(EventLog* log) {
  auto event = std::make_shared<RecordedEvent>();
  EventLog::Gone gone;
  log->Reserve(event, 100, &gone);
  return event;
}

// An event takes its place under a key's lock, and is completed without it.
TEST(EventLogTest, ReadersWaitForAnEventThatIsNotComplete) {
  EventLog log({.events = 10, .bytes = 1 << 20});
  log.Append(Message("a"));
  const auto open = Reserved(&log);
  log.Append(Message("a"));
  std::vector<EventRef> events;
  EXPECT_EQ(log.Read(0, 10, &events).through, 1u);
  EXPECT_EQ(log.Read(1, 10, &events).through, 1u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(1));
  EXPECT_EQ(log.last_complete_sequence(), 1u);
  EXPECT_EQ(log.last_sequence(), 3u);
  log.Complete(open.get(), {EventKind::kSet, "key", 5, "value"}, true);
  EXPECT_EQ(log.last_complete_sequence(), 3u);
  EXPECT_EQ(log.Read(1, 10, &events).through, 3u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(1, 2, 3));
  const v1::SubscriptionEvent decoded = Decoded(*events[1], true);
  EXPECT_EQ(decoded.sequence(), 2u);
  EXPECT_EQ(ResumeToken::Read(decoded.resume_token())->sequence, 2u);
  EXPECT_EQ(decoded.key_event().value(), "value");
}

TEST(EventLogTest, AnEventMayGoBeforeItIsComplete) {
  EventLog log({.events = 2, .bytes = 1 << 20});
  const auto open = Reserved(&log);
  for (int i = 0; i < 3; ++i) log.Append(Message("a"));
  log.Complete(open.get(), {EventKind::kDelete, "key", 5, ""}, false);
  std::vector<EventRef> events;
  EXPECT_EQ(log.Read(0, 10, &events).complete_after, 2u);
  EXPECT_THAT(Sequences(events), testing::ElementsAre(3, 4));
}

TEST(EventLogTest, ReadsManyEventsInOneGo) {
  EventLog log({.events = 1000, .bytes = 1 << 20});
  for (int i = 0; i < 700; ++i) log.Append(Message("a"));
  std::vector<EventRef> events;
  EXPECT_EQ(log.Read(0, 512, &events).through, 512u);
  EXPECT_EQ(events.size(), 512u);
  EXPECT_EQ(log.Read(512, 512, &events).through, 700u);
  EXPECT_EQ(events.size(), 700u);
}

// A stream that is the first to follow a key is told of each write after the place from which on
// its events are said to be complete. They were not while the store did not tell of writes yet.
TEST(EventHubTest, NoWriteFallsBetweenTheBeginOfAStreamAndTheFirstThatIsTold) {
  Store store({.shards = 1});
  EventHub hub(&store, {.linger = std::chrono::seconds(0)});
  const auto topics_of = [](TopicKind kind, const std::string& name) {
    return std::vector<TopicRef>{std::make_shared<Topic>(Topic{.kind = kind, .name = name})};
  };
  ASSERT_TRUE(hub.Follow(topics_of(TopicKind::kChannel, "news"), hub.NewStreamNumber()).ok());
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> writes = 0;
  std::thread writer([&] {
    while (!stop) {
      const uint64_t number = writes + 1;
      hub.Publish("news", std::to_string(number));
      store.Set("k", std::to_string(number));
      writes = number;
    }
  });
  for (int round = 0; round < 300; ++round) {
    const uint64_t stream = hub.NewStreamNumber();
    const std::vector<TopicRef> topics = topics_of(TopicKind::kKey, "k");
    const uint64_t since = hub.Follow(topics, stream).value();
    const uint64_t enough = writes + 2;
    while (writes < enough) std::this_thread::yield();
    std::vector<EventRef> events;
    hub.log().Read(since, 64, &events);
    // Each message is followed by its write.
    std::optional<TopicKind> before;
    for (const EventRef& event : events) {
      if (before == TopicKind::kChannel) {
        ASSERT_EQ(event->topic_kind(), TopicKind::kKey)
            << "round " << round << ", " << event->sequence() << " after " << since;
      }
      before = event->topic_kind();
    }
    hub.Unfollow(topics, stream);
    hub.Sweep();
  }
  stop = true;
  writer.join();
}

class EventQueueTest : public testing::Test {
 protected:
  EventRef Add(std::string_view channel, size_t payload_bytes = 0) {
    const auto event = Message(channel, std::string(payload_bytes, 'p'));
    log_.Append(event);
    return event;
  }
  static std::vector<std::pair<uint64_t, uint64_t>> Drain(EventQueue* queue) {
    std::vector<std::pair<uint64_t, uint64_t>> all;
    while (const auto queued = queue->Pop()) {
      all.emplace_back(queued->event->sequence(), queued->coalesced);
    }
    return all;
  }
  using Pairs = std::vector<std::pair<uint64_t, uint64_t>>;

  EventLog log_{{.events = 1'000'000, .bytes = 1 << 30}};
};

TEST_F(EventQueueTest, HasRoomForSoManyEventsAndBytes) {
  EventQueue by_count({.events = 2, .bytes = 1 << 20}, false);
  EXPECT_TRUE(by_count.Push(Add("a")));
  EXPECT_TRUE(by_count.Push(Add("a")));
  EXPECT_FALSE(by_count.Push(Add("a")));
  EXPECT_EQ(Drain(&by_count), (Pairs{{1, 0}, {2, 0}}));

  EventQueue by_bytes({.events = 100, .bytes = 1000}, false);
  EXPECT_TRUE(by_bytes.Push(Add("a", 5000)));  // or it could never be sent
  EXPECT_FALSE(by_bytes.Push(Add("a")));
  EXPECT_EQ(Drain(&by_bytes).size(), 1u);
  EXPECT_EQ(by_bytes.bytes(), 0u);
}

TEST_F(EventQueueTest, CoalescesToTheNewestOfEachTopic) {
  EventQueue queue({.events = 3, .bytes = 1 << 20}, true);
  for (const char* channel : {"a", "b", "a", "a", "c"}) EXPECT_TRUE(queue.Push(Add(channel)));
  EXPECT_FALSE(queue.Push(Add("d")));
  EXPECT_EQ(Drain(&queue), (Pairs{{2, 0}, {4, 2}, {5, 0}}));
  EXPECT_EQ(queue.coalesced(), 2u);
  EXPECT_TRUE(queue.Push(Add("a")));
  EXPECT_EQ(Drain(&queue), (Pairs{{7, 0}}));
}

// Or it would be forgotten what it stood for.
TEST_F(EventQueueTest, KeepsAnEventWhoseSuccessorHasNoRoom) {
  EventQueue queue({.events = 3, .bytes = 2000}, true);
  for (const char* channel : {"a", "a", "b"}) EXPECT_TRUE(queue.Push(Add(channel)));
  EXPECT_FALSE(queue.Push(Add("a", 5000)));
  EXPECT_EQ(Drain(&queue), (Pairs{{2, 1}, {3, 0}}));
}

TEST_F(EventQueueTest, StaysSmallWhileOneTopicIsReplacedForEver) {
  EventQueue queue({.events = 10, .bytes = 1 << 20}, true);
  EXPECT_TRUE(queue.Push(Add("first")));
  const uint64_t bytes = queue.bytes();
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(queue.Push(Add("other")));
  EXPECT_LE(queue.bytes(), 2 * bytes);
  EXPECT_EQ(Drain(&queue), (Pairs{{1, 0}, {10'001, 9999}}));
}

class InterestsTest : public testing::Test {
 protected:
  static TopicRef Channel(const std::string& name) {
    Topic topic;
    topic.name = name;
    return std::make_shared<const Topic>(topic);
  }
  static TopicRef Pattern(const std::string& text) {
    Topic topic;
    topic.glob = Glob::Parse(text);
    topic.glob_text = text;
    topic.name = topic.glob->literal_prefix();
    topic.exact = false;
    return std::make_shared<const Topic>(topic);
  }
  static TopicRef KeyPrefix(const std::string& prefix, EventKinds kinds = kAllEventKinds,
                            bool with_value = false) {
    Topic topic;
    topic.kind = TopicKind::kKey;
    topic.exact = false;
    topic.name = prefix;
    topic.kinds = kinds;
    topic.with_value = with_value;
    return std::make_shared<const Topic>(topic);
  }

  uint64_t Follow(
      const std::vector<TopicRef>& topics, uint64_t stream,
      absl::FunctionRef<void()> listen = [] {}) {
    return interests_.Follow(topics, stream, listen).value();
  }

  const Interests::Clock::time_point now_ = Interests::Clock::now();
  EventLog log_{{.events = 100, .bytes = 1 << 20}};
  Interests interests_{&log_, seconds(60)};
};

// What happens before the store tells of it is not in the log.
TEST_F(InterestsTest, EventsAreCompleteFromWhenSomebodyListens) {
  uint64_t before = 0;
  const uint64_t since =
      Follow({KeyPrefix("k")}, 1, [&] { before = log_.Append(Message("another")); });
  EXPECT_GT(before, 0u);
  EXPECT_GT(since, before);
}

TEST_F(InterestsTest, FindsWhoFollowsAChannel) {
  EXPECT_FALSE(interests_.FindChannel("news").recorded);
  Follow({Channel("news")}, 1);
  Follow({Channel("news"), Pattern("n*")}, 2);
  Follow({Pattern("n?ws")}, 3);
  EXPECT_TRUE(interests_.FindChannel("news").recorded);
  EXPECT_EQ(interests_.FindChannel("news").receivers, 3u);
  EXPECT_EQ(interests_.FindChannel("nothing").receivers, 1u);
  EXPECT_FALSE(interests_.FindChannel("other").recorded);
}

TEST_F(InterestsTest, FindsWhoFollowsAKey) {
  Follow({KeyPrefix("user:", KindBit(EventKind::kDelete), true)}, 1);
  EXPECT_TRUE(interests_.FindKey("user:1", EventKind::kDelete).recorded);
  EXPECT_TRUE(interests_.FindKey("user:1", EventKind::kDelete).with_value);
  EXPECT_FALSE(interests_.FindKey("user:1", EventKind::kSet).recorded);
  EXPECT_FALSE(interests_.FindKey("item:1", EventKind::kDelete).recorded);
  Follow({KeyPrefix("")}, 2);
  EXPECT_TRUE(interests_.FindKey("item:1", EventKind::kSet).recorded);
  EXPECT_FALSE(interests_.FindKey("item:1", EventKind::kSet).with_value);
}

TEST_F(InterestsTest, GoesOnRecordingForAWhile) {
  Follow({Channel("news"), KeyPrefix("k")}, 1);
  interests_.Unfollow({Channel("news"), KeyPrefix("k")}, 1, now_);
  EXPECT_TRUE(interests_.FindChannel("news").recorded);
  EXPECT_EQ(interests_.FindChannel("news").receivers, 0u);
  interests_.Sweep(now_ + seconds(59));
  EXPECT_TRUE(interests_.FollowsKeys());
  interests_.Sweep(now_ + seconds(60));
  EXPECT_FALSE(interests_.FindChannel("news").recorded);
  EXPECT_FALSE(interests_.FollowsKeys());
}

TEST_F(InterestsTest, KnowsSinceWhenATopicHasBeenRecorded) {
  log_.Append(Message("news"));
  const uint64_t since = Follow({Channel("news")}, 1);
  EXPECT_GT(since, 1u);  // a place of its own, as nothing was recorded right before
  log_.Append(Message("news"));
  interests_.Unfollow({Channel("news")}, 1, now_);
  const uint64_t last = log_.Append(Message("news"));
  EXPECT_EQ(Follow({Channel("news")}, 2), since);  // without a break
  interests_.Unfollow({Channel("news")}, 2, now_);
  EXPECT_GT(Follow({Channel("news"), Channel("other")}, 3), last);
  interests_.Unfollow({Channel("news"), Channel("other")}, 3, now_);
  interests_.Sweep(now_ + seconds(61));
  EXPECT_GT(Follow({Channel("news")}, 4), last);
}

TEST_F(InterestsTest, IsNotForgottenIfItIsFollowedAgain) {
  Follow({Channel("news")}, 1);
  interests_.Unfollow({Channel("news")}, 1, now_);
  Follow({Channel("news")}, 2);
  interests_.Sweep(now_ + seconds(100));
  EXPECT_EQ(interests_.FindChannel("news").receivers, 1u);
  interests_.Unfollow({Channel("news")}, 2, now_ + seconds(100));
  interests_.Sweep(now_ + seconds(101));
  EXPECT_TRUE(interests_.FindChannel("news").recorded);
}

TEST_F(InterestsTest, ATopicThatAStreamNamesTwiceIsOne) {
  Follow({Channel("news"), Channel("news")}, 1);
  EXPECT_EQ(interests_.FindChannel("news").receivers, 1u);
  interests_.Unfollow({Channel("news"), Channel("news")}, 1, now_);
  interests_.Sweep(now_ + seconds(60));
  EXPECT_FALSE(interests_.FindChannel("news").recorded);
}

std::string Text(std::string_view alphabet, size_t most, std::mt19937* random) {
  std::string text((*random)() % (most + 1), '\0');
  for (char& c : text) c = alphabet[(*random)() % alphabet.size()];
  return text;
}

// Whatever the parts by which globs are found: each name finds those that match it, while they come
// and go.
TEST_F(InterestsTest, FindsTheGlobsThatMatch) {
  std::mt19937 random(1);
  std::map<uint64_t, TopicRef> followed;
  int found = 0;
  for (uint64_t stream = 0; stream < 20'000; ++stream) {
    const std::string text = Text("ab*?[]", 12, &random);
    if (!text.empty() && Glob::Parse(text).has_value() && !Glob::Parse(text)->IsLiteral()) {
      followed[stream] = Pattern(text);
      if (!interests_.Follow({followed[stream]}, stream).ok()) followed.erase(stream);
    }
    if (followed.size() > 50) {
      auto gone = std::next(followed.begin(), static_cast<int64_t>(random() % followed.size()));
      interests_.Unfollow({Pattern(gone->second->glob_text)}, gone->first, now_);
      followed.erase(gone);
      if (random() % 8 == 0) interests_.Sweep(now_ + seconds(61));
    }
    const std::string name = Text("ab", 14, &random);
    const auto receivers = static_cast<uint64_t>(
        std::count_if(followed.begin(), followed.end(),
                      [&](const auto& each) { return each.second->glob->Matches(name); }));
    ASSERT_EQ(interests_.FindChannel(name).receivers, receivers) << name;
    found += receivers > 0;
  }
  EXPECT_GT(found, 1000);
}

// They share "news", or "a"; each has another part that fewer share.
TEST_F(InterestsTest, GlobsAreFoundByThePartThatFewestShare) {
  for (uint64_t i = 0; i < 2 * Interests::kMostSharing; ++i) {
    Follow({Pattern("*news*?" + std::to_string(i))}, i);
  }
  EXPECT_EQ(interests_.FindChannel("news-77").receivers, 2u);    // of 7 and 77
  EXPECT_EQ(interests_.FindChannel("news 1047").receivers, 3u);  // of 7, 47 and 1047
}

TEST_F(InterestsTest, SoManyGlobsMayShareTheirParts) {
  for (uint64_t i = 0; i < Interests::kMostSharing; ++i) {
    // Different patterns with the one part "a".
    std::string text = "a";
    for (int bit = 0; bit < 11; ++bit) text += (i >> bit & 1) != 0 ? "[ab]" : "[bc]";
    Follow({Pattern(text)}, i);
  }
  const absl::Status status = interests_.Follow({Channel("b"), Pattern("*a?")}, 5000).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("1024"));
  EXPECT_FALSE(interests_.FindChannel("b").recorded);  // nothing of it is followed
  Follow({Pattern("*a?b")}, 5001);                     // it has a part that the others have not
  interests_.Unfollow({Pattern("a[bc][bc][bc][bc][bc][bc][bc][bc][bc][bc][bc]")}, 0, now_);
  interests_.Sweep(now_ + seconds(61));
  Follow({Pattern("*a?")}, 5000);
}

}  // namespace
}  // namespace ferrite
