// Calls about one key, through any node of a cluster.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/call/status.h"
#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

class RoutedUnaryTest : public NodesTest {
 protected:
  RoutedUnaryTest() : NodesTest(3, 2, WithShortGrace()) {}
  static Settings WithShortGrace() {
    Settings settings = TestSettings();
    settings.shutdown_grace = absl::Seconds(2);  // half of it is the age of streams
    return settings;
  }
};

TEST_F(RoutedUnaryTest, AnyNodeAnswersForAllKeys) {
  for (size_t owner = 0; owner < 3; ++owner) {
    for (size_t through = 0; through < 3; ++through) {
      const std::string key = KeyOf(owner, static_cast<int>(through));
      EXPECT_EQ(GetAt(through, key), "(none)");
      EXPECT_TRUE(SetAt(through, key, "v").ok());
      // It lies where it belongs, and nowhere else.
      EXPECT_EQ(GetAt(owner, key, /*direct=*/true), "v");
      for (size_t reader = 0; reader < 3; ++reader) EXPECT_EQ(GetAt(reader, key), "v");
    }
  }
}

TEST_F(RoutedUnaryTest, EveryMethodAboutOneKeyIsForwarded) {
  const std::string key = KeyOf(1);
  v1::IncrRequest incr;
  incr.set_key(key);
  incr.set_delta(5);
  v1::IncrResponse counter;
  ASSERT_TRUE(CallAt(0, &Stub::Incr, incr, &counter).ok());
  EXPECT_EQ(counter.value(), 5);
  ASSERT_TRUE(CallAt(1, &Stub::Incr, incr, &counter).ok());
  EXPECT_EQ(counter.value(), 10);

  v1::TouchRequest touch;
  touch.set_key(key);
  touch.set_ttl_ms(60'000);
  v1::TouchResponse touched;
  ASSERT_TRUE(CallAt(2, &Stub::Touch, touch, &touched).ok());
  EXPECT_TRUE(touched.found());
  EXPECT_GT(touched.ttl_ms(), 0);

  v1::DeleteRequest remove;
  remove.set_key(key);
  v1::DeleteResponse removed;
  ASSERT_TRUE(CallAt(0, &Stub::Delete, remove, &removed).ok());
  EXPECT_TRUE(removed.deleted());
  EXPECT_EQ(GetAt(1, key), "(none)");

  v1::PublishRequest message;
  message.set_channel(key);
  message.set_payload("hello");
  v1::PublishResponse published;
  grpc::ClientContext context;
  v1::SubscribeRequest subscription;
  subscription.add_channels(key);
  const auto reader = members_[1].stub->Subscribe(&context, subscription);
  v1::SubscribeResponse events;
  ASSERT_TRUE(reader->Read(&events));
  ASSERT_TRUE(CallAt(2, &Stub::Publish, message, &published).ok());
  EXPECT_EQ(published.receivers(), 1u);
  ASSERT_TRUE(reader->Read(&events));
  EXPECT_EQ(events.events(0).message().payload(), "hello");
  context.TryCancel();
  reader->Finish();
}

TEST_F(RoutedUnaryTest, ErrorsOfTheOwnerArriveAsTheyWere) {
  const std::string key = KeyOf(2);
  ASSERT_TRUE(SetAt(2, key, "text").ok());
  v1::IncrRequest incr;
  incr.set_key(key);
  v1::IncrResponse counter;
  const grpc::Status here = CallAt(2, &Stub::Incr, incr, &counter);
  const grpc::Status forwarded = CallAt(0, &Stub::Incr, incr, &counter);
  EXPECT_EQ(forwarded.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(forwarded.error_message(), here.error_message());
  EXPECT_EQ(InfoOf(forwarded).SerializeAsString(), InfoOf(here).SerializeAsString());

  v1::SetRequest large;
  large.set_key(key);
  large.set_value(std::string(settings_.max_value_bytes + 1, 'v'));
  v1::SetResponse response;
  EXPECT_EQ(InfoOf(CallAt(0, &Stub::Set, large, &response)).reason(), "VALUE_TOO_LARGE");
  EXPECT_EQ(InfoOf(CallAt(0, &Stub::Set, v1::SetRequest(), &response)).reason(), "KEY_EMPTY");
}

// A request of nearly the largest size is larger where it is an operation of a frame.
TEST_F(RoutedUnaryTest, ARequestThatIsTooLargeIsRefusedAsSuch) {
  constexpr size_t kLimit = (4 << 20) + (64 << 10);
  v1::SetRequest request;
  request.set_key(KeyOf(1));
  request.set_value(std::string(kLimit, 'v'));
  request.mutable_value()->resize(2 * kLimit - request.ByteSizeLong());
  ASSERT_EQ(request.ByteSizeLong(), kLimit);
  for (const int less : {0, 10, 20, 50, 100, 200}) {
    request.mutable_value()->resize(request.value().size() - static_cast<size_t>(less));
    v1::SetResponse response;
    const grpc::Status status = CallAt(0, &Stub::Set, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  }
}

TEST_F(RoutedUnaryTest, WhoRoutesHimselfIsToldTheOwner) {
  const std::string key = KeyOf(1);
  GetAt(0, key, /*direct=*/true);
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const google::rpc::ErrorInfo info = InfoOf(status_);
  EXPECT_EQ(info.reason(), "SLOT_MOVED");
  EXPECT_EQ(info.metadata().at("slot"), std::to_string(SlotOf(key)));
  EXPECT_EQ(info.metadata().at("owner"), "node-1");
  EXPECT_EQ(info.metadata().at("address"), members_[1].address);
  EXPECT_EQ(info.metadata().at("epoch"), std::to_string(1));
}

TEST_F(RoutedUnaryTest, ValuesThatDoNotFitIntoOneReplyAreAllSent) {
  const std::string value(1'000'000, 'v');
  constexpr int kKeys = 12;
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back(KeyOf(1, i));
  for (const std::string& key : keys) ASSERT_TRUE(SetAt(0, key, value).ok());
  std::vector<std::thread> readers;
  for (const std::string& key : keys) {
    readers.emplace_back([this, &key, &value] {
      const auto stub = v1::CacheService::NewStub(Connect(members_[0].address));
      for (int i = 0; i < 10; ++i) {
        grpc::ClientContext context;
        v1::GetRequest request;
        request.set_key(key);
        v1::GetResponse response;
        const grpc::Status status = stub->Get(&context, request, &response);
        EXPECT_TRUE(status.ok()) << status.error_message();
        EXPECT_EQ(response.value().size(), value.size());
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
}

TEST_F(RoutedUnaryTest, ASlotWithoutAnOwnerIsUnavailable) {
  const std::string key = KeyOf(0);
  const uint32_t slot = SlotOf(key);
  const struct {
    Place place;
    const char* reason;
  } cases[] = {{Place::kNobody, "SLOT_UNOWNED"},
               {Place::kReleasing, "SLOT_IN_TRANSITION"},
               {Place::kPreparing, "SLOT_IN_TRANSITION"}};
  for (const auto& [place, reason] : cases) {
    const auto view = ViewOf(0);
    view->Assign(slot, slot, {place, 0});
    members_[0].view.Publish(view);
    GetAt(0, key);
    EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(InfoOf(status_).reason(), reason);
    EXPECT_EQ(InfoOf(status_).metadata().at("executed"), "no");
    EXPECT_EQ(trailers_.count("grpc-retry-pushback-ms"), 1u);
  }
  PublishThirds();
  EXPECT_EQ(GetAt(0, key), "(none)");
}

TEST_F(RoutedUnaryTest, ANodeThatLostItsRightServesNothingButForwards) {
  members_[0].right.Set(0);
  GetAt(0, KeyOf(0));
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status_).reason(), "LEASE_LOST");
  GetAt(1, KeyOf(0));
  EXPECT_EQ(InfoOf(status_).reason(), "LEASE_LOST");
  EXPECT_EQ(GetAt(0, KeyOf(1)), "(none)");
  members_[0].right.Set(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");
}

TEST_F(RoutedUnaryTest, APeerThatIsGoneCostsOnlyItsOwnKeys) {
  ASSERT_TRUE(SetAt(0, KeyOf(1), "v").ok());
  Stop(2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(SetAt(0, KeyOf(2, i), "v").ok());
    EXPECT_EQ(GetAt(0, KeyOf(1)), "v");
    EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");
  }
  GetAt(0, KeyOf(2));
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
  const google::rpc::ErrorInfo info = InfoOf(status_);
  EXPECT_EQ(info.reason(), "PEER_UNREACHABLE");
  EXPECT_EQ(info.metadata().at("node"), "node-2");
  EXPECT_EQ(info.metadata().at("executed"), "no");
}

TEST_F(RoutedUnaryTest, ViewsThatContradictEachOtherMakeNoLoop) {
  // Each of two nodes takes the other for the owner.
  const std::string key = KeyOf(0);
  const uint32_t slot = SlotOf(key);
  const auto view = ViewOf(0);
  view->Assign(slot, slot, {Place::kElsewhere, 1});
  members_[0].view.Publish(view);
  for (size_t through : {0, 1}) {
    GetAt(through, key);
    EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(InfoOf(status_).reason(), "SLOT_IN_TRANSITION");
  }
}

TEST_F(RoutedUnaryTest, WhatSaysTwiceThatItWasForwardedIsNotForwardedAgain) {
  grpc::ClientContext context;
  context.AddMetadata("ferrite-forwarded", "1");
  context.AddMetadata("ferrite-forwarded", "1");
  v1::GetRequest request;
  request.set_key(KeyOf(1));
  v1::GetResponse response;
  const grpc::Status status = members_[0].stub->Get(&context, request, &response);
  EXPECT_EQ(InfoOf(status).reason(), "SLOT_MOVED") << status.error_message();
}

TEST_F(RoutedUnaryTest, ANodeThatIsReplacedIsForgotten) {
  const std::string key = KeyOf(1);
  ASSERT_TRUE(SetAt(0, key, "v").ok());
  Stop(1);
  // Another process under the same name.
  Member& again = members_[1];
  again.node =
      std::make_unique<Node>(settings_, Membership{.view = &again.view, .right = &again.right});
  ASSERT_TRUE(again.node->Start().ok());
  again.address = again.node->grpc_address();
  again.stub = v1::CacheService::NewStub(Connect(again.address));
  PublishThirds();
  EXPECT_EQ(GetAt(0, key), "(none)");
  ASSERT_TRUE(SetAt(2, key, "w").ok());
  EXPECT_EQ(GetAt(0, key), "w");
}

TEST_F(RoutedUnaryTest, ACallEndsBeforeItsDeadlineThoughItsPeerIsSilent) {
  // It accepts connections, and never answers.
  const int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(silent, 16), 0);
  getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size);
  members_[2].address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  PublishThirds();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  v1::GetRequest request;
  request.set_key(KeyOf(2));
  v1::GetResponse response;
  const grpc::Status status = members_[0].stub->Get(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status).reason(), "PEER_UNREACHABLE");
  EXPECT_EQ(InfoOf(status).metadata().at("executed"), "no");
  EXPECT_EQ(GetAt(0, KeyOf(1)), "(none)");
  close(silent);
}

TEST_F(RoutedUnaryTest, LargeValuesArriveInPiecesAndWhole) {
  for (const size_t bytes : {1000, 70'000, 300'000, 1'000'000}) {
    std::string value(bytes, 'v');
    for (size_t i = 0; i < bytes; i += 1000) value[i] = static_cast<char>('a' + i / 1000 % 26);
    for (size_t owner = 0; owner < 2; ++owner) {
      const std::string key = KeyOf(owner, static_cast<int>(bytes));
      ASSERT_TRUE(SetAt(0, key, value).ok());
      EXPECT_EQ(GetAt(0, key), value);
      EXPECT_EQ(GetAt(owner, key, /*direct=*/true), value);
    }
  }
}

// A node whose connections have an age, through another one.
TEST_F(RoutedUnaryTest, NothingIsLostWhenAPeerEndsOldConnections) {
  Settings aged = settings_;
  aged.max_connection_age = absl::Milliseconds(200);
  aged.shutdown_grace = absl::Seconds(2);
  Stop(1);
  Member& peer = members_[1];
  peer.node = std::make_unique<Node>(aged, Membership{.view = &peer.view, .right = &peer.right});
  ASSERT_TRUE(peer.node->Start().ok());
  peer.address = peer.node->grpc_address();
  PublishThirds();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(6);
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = v1::CacheService::NewStub(Connect(members_[0].address));
      for (int64_t count = 1; std::chrono::steady_clock::now() < end; ++count) {
        grpc::ClientContext context;
        v1::IncrRequest request;
        request.set_key(KeyOf(1, i));
        v1::IncrResponse response;
        const grpc::Status status = stub->Incr(&context, request, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        ASSERT_EQ(response.value(), count);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  Stop(1);
}

// For the thread sanitizer as well.
TEST_F(RoutedUnaryTest, NodesEndInOrderWhileCallsAreForwarded) {
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = v1::CacheService::NewStub(Connect(members_[0].address));
      for (int64_t last = 0;;) {
        grpc::ClientContext context;
        v1::IncrRequest request;
        request.set_key(KeyOf(static_cast<size_t>(i % 3), i));
        v1::IncrResponse response;
        const grpc::Status status = stub->Incr(&context, request, &response);
        if (!status.ok()) {
          EXPECT_TRUE(status.error_code() == grpc::UNAVAILABLE ||
                      status.error_code() == grpc::CANCELLED)
              << status.error_code() << " " << status.error_message();
          return;
        }
        EXPECT_EQ(response.value(), last + 1);
        last = response.value();
        ++answered;
      }
    });
  }
  while (answered < 300) std::this_thread::yield();
  Stop(0);
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace ferrite
