// Subscribe and Publish over loopback, many at a time. Meant for the thread sanitizer as well.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "tests/server/node_fixture.h"

namespace ferrite {
namespace {

// A stream, event by event.
class Follower {
 public:
  Follower(v1::CacheService::Stub* stub, const v1::SubscribeRequest& request)
      : reader_(stub->Subscribe(&context_, request)) {}
  ~Follower() {
    context_.TryCancel();
    Finish();
  }

  // False at the end of the stream.
  bool Next(v1::SubscriptionEvent* event) {
    while (next_ == response_.events_size()) {
      if (finished_ || !reader_->Read(&response_)) return false;
      next_ = 0;
    }
    *event = std::move(*response_.mutable_events(next_++));
    return true;
  }
  // The next one that is no heartbeat. The stream must go on.
  v1::SubscriptionEvent Next() {
    v1::SubscriptionEvent event;
    do {
      if (!Next(&event)) {
        ADD_FAILURE() << "the stream ended: " << Finish().error_message();
        break;
      }
    } while (event.has_heartbeat());
    return event;
  }
  grpc::Status Finish() {
    if (!std::exchange(finished_, true)) status_ = reader_->Finish();
    return status_;
  }
  const grpc::ClientContext& context() const { return context_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
  v1::SubscribeResponse response_;
  int next_ = 0;
  bool finished_ = false;
  grpc::Status status_;
};

class SubscribeTest : public NodeTest {
 protected:
  SubscribeTest() : stub_(v1::CacheService::NewStub(Connect())) {}

  v1::PublishResponse Publish(const std::string& channel, const std::string& payload) {
    grpc::ClientContext context;
    v1::PublishRequest request;
    request.set_channel(channel);
    request.set_payload(payload);
    v1::PublishResponse response;
    const grpc::Status status = stub_->Publish(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  int64_t Incr(const std::string& key) {
    grpc::ClientContext context;
    v1::IncrRequest request;
    request.set_key(key);
    v1::IncrResponse response;
    const grpc::Status status = stub_->Incr(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.value();
  }
  static v1::SubscribeRequest ToChannel(const std::string& channel) {
    v1::SubscribeRequest request;
    request.add_channels(channel);
    return request;
  }

  const std::unique_ptr<v1::CacheService::Stub> stub_;
};

TEST_F(SubscribeTest, DeliversWhatIsPublishedAfterTheAcknowledgement) {
  EXPECT_EQ(Publish("news", "before").receivers(), 0u);
  Follower follower(stub_.get(), ToChannel("news"));
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  EXPECT_EQ(Publish("news", "hello").receivers(), 1u);
  EXPECT_EQ(follower.Next().message().payload(), "hello");
}

// Large ones are sent from where they lie, to all.
TEST_F(SubscribeTest, DeliversLargeMessagesToMany) {
  const std::string payload(900'000, 'p');
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 5; ++i) {
    followers.push_back(std::make_unique<Follower>(stub_.get(), ToChannel("news")));
    EXPECT_TRUE(followers.back()->Next().has_acknowledgement());
  }
  EXPECT_EQ(Publish("news", payload).receivers(), 5u);
  for (const auto& follower : followers) EXPECT_EQ(follower->Next().message().payload(), payload);
}

TEST_F(SubscribeTest, TheProbeChannelIsOneThatIsFollowed) {
  v1::SubscribeRequest request = ToChannel("news");
  for (const std::string& wrong : {std::string("other"), std::string(257, 'c')}) {
    request.set_probe_channel(wrong);
    Follower follower(stub_.get(), request);
    v1::SubscriptionEvent event;
    EXPECT_FALSE(follower.Next(&event));
    EXPECT_EQ(follower.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  request.set_probe_channel("news");
  Follower follower(stub_.get(), request);
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  Publish("news", "probe");
  EXPECT_EQ(follower.Next().message().payload(), "probe");
}

TEST_F(SubscribeTest, CountsReceiversDownWhenTheyGo) {
  auto follower = std::make_unique<Follower>(stub_.get(), ToChannel("news"));
  EXPECT_TRUE(follower->Next().has_acknowledgement());
  follower.reset();
  while (Publish("news", "").receivers() != 0) std::this_thread::yield();
}

// Every message exactly once and in order, however often a stream is cut off.
TEST_F(SubscribeTest, ResumesWithoutLossWhilePublishersGoOn) {
  constexpr int kChannels = 3;
  constexpr int kMessages = 1500;
  std::vector<std::thread> threads;
  std::atomic<int> ready = 0;
  for (int i = 0; i < kChannels; ++i) {
    const std::string channel = "channel-" + std::to_string(i);
    threads.emplace_back([&, channel] {
      while (ready < kChannels) std::this_thread::yield();
      for (int n = 0; n < kMessages; ++n) Publish(channel, std::to_string(n));
    });
    threads.emplace_back([&, channel, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      const auto stub = v1::CacheService::NewStub(Connect());
      v1::SubscribeRequest request = ToChannel(channel);
      request.add_channel_globs("channel-*");  // others too, to make it harder
      std::map<std::string, int> next;
      bool first = true;
      while (next[channel] < kMessages) {
        Follower follower(stub.get(), request);
        v1::SubscriptionEvent event = follower.Next();
        ASSERT_TRUE(event.has_acknowledgement());
        ASSERT_EQ(event.acknowledgement().resumed(), !first);
        if (std::exchange(first, false)) ++ready;
        request.set_resume_token(event.resume_token());
        for (int left = static_cast<int>(random() % 300); left > 0 && next[channel] < kMessages;
             --left) {
          event = follower.Next();
          ASSERT_TRUE(event.has_message()) << event.ShortDebugString();
          int& expected = next[event.message().channel()];
          if (event.message().channel() == channel || expected > 0) {
            ASSERT_EQ(event.message().payload(), std::to_string(expected));
          }
          expected = std::stoi(event.message().payload()) + 1;
          request.set_resume_token(event.resume_token());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SubscribeTest, TellsWhatHappensToAKeyInOrder) {
  constexpr int kSteps = 2000;
  v1::SubscribeRequest request;
  request.add_key_prefixes("counter-");
  request.set_with_values(true);
  Follower follower(stub_.get(), request);
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {  // two for each key
    writers.emplace_back([&, key = "counter-" + std::to_string(i % 2)] {
      for (int step = 0; step < kSteps; ++step) Incr(key);
    });
  }
  std::map<std::string, v1::KeyEvent> last;
  for (int i = 0; i < 4 * kSteps; ++i) {
    const v1::SubscriptionEvent event = follower.Next();
    ASSERT_TRUE(event.has_key_event()) << event.ShortDebugString();
    v1::KeyEvent& before = last[event.key_event().key()];
    ASSERT_EQ(event.key_event().kind(), v1::KEY_EVENT_KIND_INCR);
    ASSERT_GT(event.key_event().version(), before.version());
    ASSERT_EQ(std::stoi(event.key_event().value()),
              before.value().empty() ? 1 : std::stoi(before.value()) + 1);
    before = event.key_event();
  }
  for (std::thread& writer : writers) writer.join();
}

// A small queue behind a reader that does not read until all is written.
class SlowFollowerTest : public SubscribeTest {
 protected:
  static constexpr int kMessages = 5000;

  v1::SubscribeRequest Small(v1::SlowConsumerPolicy policy) {
    v1::SubscribeRequest request = ToChannel("news");
    request.set_max_queue_events(10);
    request.set_slow_consumer_policy(policy);
    return request;
  }
  // Enough to fill what lies between a stream and its reader.
  void PublishMuch() {
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_EQ(Publish("news", std::to_string(i) + std::string(3000, ' ')).receivers(), 1u);
    }
  }
};

TEST_F(SlowFollowerTest, GetsTheRestFromTheHistory) {
  Follower follower(stub_.get(), Small(v1::SLOW_CONSUMER_POLICY_DROP));
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  PublishMuch();
  for (int i = 0; i < kMessages; ++i) {
    const v1::SubscriptionEvent event = follower.Next();
    ASSERT_TRUE(event.has_message()) << event.ShortDebugString();
    ASSERT_EQ(std::stoi(event.message().payload()), i);
  }
}

TEST_F(SlowFollowerTest, IsEndedIfItAskedForThat) {
  Follower follower(stub_.get(), Small(v1::SLOW_CONSUMER_POLICY_END));
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  std::atomic<bool> ended = false;
  std::atomic<int> published = 0;
  std::thread publisher([&] {
    for (; !ended; ++published) {
      Publish("news", std::to_string(published) + std::string(3000, ' '));
    }
  });
  v1::SubscriptionEvent event;
  std::string token;
  int next = 0;
  while (follower.Next(&event)) {
    if (event.has_heartbeat()) continue;
    ASSERT_EQ(std::stoi(event.message().payload()), next++);
    token = event.resume_token();
    // Reads the first ones where there are ever more to be read: in the end for longer than 100 ms,
    // as no call takes less than 25 us.
    const int enough = published + (next <= 8 ? 16 << next : 0);
    while (published < enough) std::this_thread::yield();
  }
  ended = true;
  publisher.join();
  EXPECT_EQ(follower.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto& metadata = follower.context().GetServerTrailingMetadata();
  const auto place = metadata.find("ferrite-resume-token-bin");
  ASSERT_NE(place, metadata.end());
  EXPECT_EQ(std::string(place->second.data(), place->second.size()), token);
}

TEST_F(SlowFollowerTest, GetsTheNewestOfEachChannelIfItAskedForThat) {
  Follower follower(stub_.get(), Small(v1::SLOW_CONSUMER_POLICY_COALESCE));
  EXPECT_TRUE(follower.Next().has_acknowledgement());
  PublishMuch();
  uint64_t accounted = 0;
  int last = -1;
  while (last < kMessages - 1) {
    const v1::SubscriptionEvent event = follower.Next();
    accounted += 1 + event.coalesced();
    ASSERT_GT(std::stoi(event.message().payload()), last);
    last = std::stoi(event.message().payload());
  }
  EXPECT_EQ(accounted, static_cast<uint64_t>(kMessages));
}

TEST_F(SlowFollowerTest, DoesNotHoldUpTheEnd) {
  Follower stalled(stub_.get(), Small(v1::SLOW_CONSUMER_POLICY_DROP));
  Follower idle(stub_.get(), ToChannel("quiet"));
  EXPECT_TRUE(stalled.Next().has_acknowledgement());
  EXPECT_TRUE(idle.Next().has_acknowledgement());
  PublishMuch();
  std::thread reader([&] {
    v1::SubscriptionEvent event;
    while (stalled.Next(&event)) {
    }
  });
  Shutdown();
  reader.join();
  v1::SubscriptionEvent event;
  EXPECT_FALSE(idle.Next(&event));
  EXPECT_EQ(idle.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// Streams come and go, cancelled at any moment, while there is much to tell.
TEST_F(SubscribeTest, StreamsComeAndGoUnderLoad) {
  std::atomic<int> following = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; following > 0; ++n)
        Publish("channel-" + std::to_string(i), std::to_string(n));
    });
    threads.emplace_back([&, i] {
      while (following > 0) Incr("key-" + std::to_string(i));
    });
  }
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto stub = v1::CacheService::NewStub(Connect());
      for (int round = 0; round < 60; ++round) {
        v1::SubscribeRequest request;
        request.add_channel_globs("*");
        request.add_keys("key-" + std::to_string(i % 2));
        request.set_max_queue_events(1 + static_cast<uint32_t>(round % 5));
        Follower follower(stub.get(), request);
        v1::SubscriptionEvent event;
        for (int left = round; left > 0 && follower.Next(&event); --left) {
        }
      }
      --following;
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SubscribeTest, EndsInOrderWhileThereIsMuchToTell) {
  std::atomic<int> ended = 0;
  std::atomic<int> delivered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto stub = v1::CacheService::NewStub(Connect());
      Follower follower(stub.get(), ToChannel("news"));
      v1::SubscriptionEvent event;
      while (follower.Next(&event)) ++delivered;
      const grpc::Status status = follower.Finish();
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
      ++ended;
    });
  }
  threads.emplace_back([&] {
    while (ended < 4) {
      grpc::ClientContext context;
      v1::PublishRequest request;
      request.set_channel("news");
      v1::PublishResponse response;
      if (!stub_->Publish(&context, request, &response).ok()) break;
    }
  });
  while (delivered < 500) std::this_thread::yield();
  Shutdown();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ferrite
