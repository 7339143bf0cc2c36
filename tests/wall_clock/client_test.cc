// The client library while the wall clock is set by as much as a day: whatever waits, waits no
// longer than without.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>

#include "client/client.h"
#include "client/future.h"
#include "client/subscription.h"
#include "tests/client/client_fixture.h"
#include "tests/client/event_peer.h"
#include "tests/client/scripted_peer.h"
#include "tests/client/silent_port.h"
#include "tests/wall_clock/stepped_clock.h"

namespace ferrite {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

class WallClockClientTest : public testing::TestWithParam<int64_t> {
 protected:
  ~WallClockClientTest() override { SetWallClockAhead(0); }
  void SetTheClock() { SetWallClockAhead(GetParam() * kSecondNs); }
};

INSTANTIATE_TEST_SUITE_P(Seconds, WallClockClientTest, testing::Values(-40, 40, -86'400, 86'400));

TEST_P(WallClockClientTest, CallsToASilentPeerEndByTheirDeadlines) {
  const SilentPort port;
  for (const bool batching : {true, false}) {
    SetWallClockAhead(0);
    const auto client = ClientOf(port.address(), {.batching = {.enabled = batching}});
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    auto done = std::make_shared<std::atomic<bool>>(false);
    client->GetAsync(GetOf("k"), {.timeout = absl::Milliseconds(500)},
                     [outcome, done](const absl::StatusOr<v1::GetResponse>& reply) {
                       *outcome = reply.status();
                       done->store(true);
                       done->notify_all();
                     });
    SetTheClock();
    done->wait(false);
    EXPECT_EQ((*outcome)->code(), absl::StatusCode::kDeadlineExceeded) << **outcome;
  }
}

TEST_P(WallClockClientTest, RetriesGoOn) {
  ScriptedPeer peer;
  const auto client = ClientOf(peer.address(), {.batching = {.enabled = false}});
  peer.Expect({{grpc::Status(grpc::StatusCode::UNAVAILABLE, "not now"), "300"}});
  auto done = std::make_shared<std::atomic<bool>>(false);
  client->GetAsync(GetOf("k"), {}, [done](const absl::StatusOr<v1::GetResponse>& reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    done->store(true);
    done->notify_all();
  });
  peer.AwaitCalls(1);
  SetTheClock();
  done->wait(false);
  EXPECT_EQ(peer.calls(), 2u);
}

TEST_P(WallClockClientTest, ASubscriptionThatBrokeIsOpenedAgain) {
  EventPeer peer;
  StreamScript broken;
  broken.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  broken.pushback = "300";
  peer.Expect({broken});
  const auto client = ClientOf(peer.address());
  v1::SubscribeRequest request;
  request.add_channels("c");
  const auto subscription = client->Subscribe(request);
  peer.AwaitStreams(1);
  SetTheClock();
  EXPECT_TRUE(subscription->Next(absl::Seconds(60)).ok());
}

TEST_P(WallClockClientTest, ASubscriptionNoticesSilence) {
  EventPeer peer;
  peer.Expect({StreamScript{.messages = {{AcknowledgementOf("a")}}}});
  const auto client = ClientOf(peer.address());
  v1::SubscribeRequest request;
  request.add_channels("c");
  request.set_heartbeat_ms(100);
  const auto subscription = client->Subscribe(request);
  ASSERT_TRUE(subscription->Next(absl::Seconds(60)).ok());
  SetTheClock();
  peer.AwaitStreams(2);
}

TEST_P(WallClockClientTest, AConnectionThatWasRefusedIsTriedAgain) {
  // A port that nobody listens on.
  std::string address;
  { address = SilentPort().address(); }
  const auto client =
      ClientOf(address, {.retry = {.max_attempts = 100'000, .max_backoff = absl::Milliseconds(50)},
                         .batching = {.enabled = false}});
  ASSERT_FALSE(client->Get(GetOf("k"), {.timeout = absl::Milliseconds(100)}).ok());
  SetTheClock();
  const ScriptedPeer peer(address);
  const auto reply = client->Get(GetOf("k"), {.timeout = absl::Seconds(20)});
  EXPECT_TRUE(reply.ok()) << reply.status();
}

}  // namespace
}  // namespace ferrite
