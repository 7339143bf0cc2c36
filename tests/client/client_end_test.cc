// The end of a Client with calls in flight: each callback runs once, and before the destructor
// returns.

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/client/client_fixture.h"
#include "tests/client/scripted_peer.h"
#include "tests/client/silent_port.h"

namespace ferrite {
namespace {

TEST(ClientEndTest, CancelsCallsThatWaitForAnAnswer) {
  ScriptedPeer peer;
  peer.Expect(std::vector<Script>(4, Script{.hold = true}));
  Outcomes outcomes;
  auto client = ClientOf(peer.address(), {.completion_threads = 2});
  for (int i = 0; i < 4; ++i) {
    client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  }
  peer.AwaitCalls(4);
  client.reset();
  EXPECT_EQ(outcomes.all(), 4);
  EXPECT_EQ(outcomes.cancelled(), 4);
}

TEST(ClientEndTest, CancelsCallsThatWaitToBeTriedAgain) {
  ScriptedPeer peer;
  const grpc::Status unavailable(grpc::StatusCode::UNAVAILABLE, "");
  peer.Expect(std::vector<Script>(8, Script{.status = unavailable, .pushback = "50000"}));
  Outcomes outcomes;
  auto client = ClientOf(peer.address());
  for (int i = 0; i < 8; ++i) {
    client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  }
  peer.AwaitCalls(8);
  client.reset();
  EXPECT_EQ(outcomes.all(), 8);
  EXPECT_EQ(outcomes.cancelled(), 8);
}

TEST(ClientEndTest, CancelsCallsThatWaitForAConnection) {
  const SilentPort port;
  Outcomes outcomes;
  auto client = ClientOf(port.address(), {.channels_per_node = 3});
  for (int i = 0; i < 1000; ++i) {
    client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  }
  client.reset();
  EXPECT_EQ(outcomes.all(), 1000);
}

TEST(ClientEndTest, RefusesWhatACallbackStartsMeanwhile) {
  ScriptedPeer peer;
  peer.Expect({Script{.hold = true}});
  Outcomes outcomes;
  std::unique_ptr<Client> client = ClientOf(peer.address());
  Client* const same = client.get();
  client->GetAsync(GetOf("first"), {}, [&](const auto& outcome) {
    outcomes.Add(outcome);
    same->GetAsync(GetOf("second"), {}, [&](const auto& next) { outcomes.Add(next); });
    v1::MGetRequest batch;
    batch.add_keys("third");
    same->MGetAsync(batch, {}, [&](const auto& next) { outcomes.Add(next); });
  });
  peer.AwaitCalls(1);
  client.reset();
  EXPECT_EQ(outcomes.all(), 3);
  EXPECT_EQ(outcomes.cancelled(), 3);
  EXPECT_EQ(peer.calls(), 1u);
}

TEST(ClientEndTest, CanComeAtAnyMoment) {
  ScriptedPeer peer;
  for (int round = 0; round < 50; ++round) {
    Outcomes outcomes;
    auto client = ClientOf(peer.address(), {.completion_threads = 2});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    outcomes.AwaitOne();
    client.reset();
    ASSERT_EQ(outcomes.all(), 80);
  }
}

TEST(ClientEndTest, AnUnusedClientJustGoes) { ClientOf("127.0.0.1:1").reset(); }

TEST(ClientThreadsTest, ACallbackMayStartFurtherCalls) {
  ScriptedPeer peer;
  auto client = ClientOf(peer.address());
  std::atomic<int> left{100};
  std::function<void(const absl::StatusOr<v1::GetResponse>&)> again = [&](const auto& outcome) {
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    if (left.fetch_sub(1) == 1) {
      left.notify_all();
    } else {
      client->GetAsync(GetOf("k"), {}, again);
    }
  };
  client->GetAsync(GetOf("k"), {}, again);
  for (int now = left; now != 0; now = left) left.wait(now);
  EXPECT_EQ(peer.calls(), 100u);
}

TEST(ClientThreadsTest, ASynchronousCallInACallbackFailsInsteadOfHanging) {
  ScriptedPeer peer;
  auto client = ClientOf(peer.address());
  Outcomes outcomes;
  absl::Status inner;
  client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) {
    inner = client->Get("k").status();
    outcomes.Add(outcome);
  });
  outcomes.AwaitOne();
  EXPECT_EQ(inner.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ClientDeadlineTest, EndsACallThatNobodyAnswers) {
  const SilentPort port;
  auto client = ClientOf(port.address());
  const auto reply = client->Get(GetOf("k"), {.timeout = absl::Milliseconds(50)});
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
  EXPECT_EQ(reply.status().message(), "no answer from " + port.address() + " within 50ms");
}

TEST(ClientDeadlineTest, ATimeoutOfNothingIsOver) {
  ScriptedPeer peer;
  auto client = ClientOf(peer.address());
  EXPECT_EQ(client->Get(GetOf("k"), {.timeout = absl::ZeroDuration()}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(client->Get(GetOf("k"), {.timeout = -absl::InfiniteDuration()}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(client->Get(GetOf("k"), {.timeout = absl::InfiniteDuration()}).ok());
}

TEST(ClientOptionsTest, SenselessOnesAreRefused) {
  const auto refuses = [](const ClientOptions& options) {
    return absl::IsInvalidArgument(Client::Create(options).status());
  };
  EXPECT_TRUE(refuses({}));
  EXPECT_TRUE(refuses({.seeds = {"a:1", "b"}}));
  EXPECT_TRUE(refuses({.seeds = std::vector<std::string>(65, "a:1")}));
  EXPECT_FALSE(refuses({.seeds = {"a:1", "b:1"}}));
  for (const char* seed : {"", "host", ":6380", "host:", "host:0", "host:65536", "unix:"}) {
    EXPECT_TRUE(refuses({.seeds = {seed}})) << seed;
  }
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .default_timeout = absl::ZeroDuration()}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .retry = {.max_attempts = 0}}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .retry = {.initial_backoff = absl::ZeroDuration()}}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .retry = {.initial_backoff = absl::Seconds(2)}}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .channels_per_node = 0}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .completion_threads = 65}));
  EXPECT_TRUE(refuses({.seeds = {"a:1"}, .batching = {.max_frames_in_flight = 0}}));
  EXPECT_FALSE(refuses({.seeds = {"[::1]:6380"}}));
}

}  // namespace
}  // namespace ferrite
