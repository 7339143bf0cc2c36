// Subscriptions through a node whose peer tells events as no node would.

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "server/events/resume_token.h"
#include "server/routing/remote_stream.h"
#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

using Writer = grpc::ServerWriter<v1::SubscribeResponse>;

class OddTeller final : public v1::CacheService::Service {
 public:
  OddTeller() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OddTeller() override {
    released_ = true;
    released_.notify_all();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Holds a stream open until the end.
  void Hold() { released_.wait(false); }
  // What it does with its nth stream, from 0.
  std::function<void(int n, const v1::SubscribeRequest& request, Writer* writer)> behave;

  static void Tell(v1::SubscriptionEvent event, uint64_t sequence, Writer* writer) {
    std::string token(ResumeToken::kBytes, '\0');
    ResumeToken{7, sequence}.Write(token.data());
    event.set_sequence(sequence);
    event.set_resume_token(token);
    v1::SubscribeResponse response;
    *response.add_events() = std::move(event);
    writer->Write(response);
  }
  static void Acknowledge(bool resumed, uint64_t sequence, Writer* writer) {
    v1::SubscriptionEvent event;
    event.mutable_acknowledgement()->set_resumed(resumed);
    Tell(std::move(event), sequence, writer);
  }
  static void TellMessage(const std::string& channel, const std::string& payload, uint64_t sequence,
                          Writer* writer) {
    v1::SubscriptionEvent event;
    event.mutable_message()->set_channel(channel);
    event.mutable_message()->set_payload(payload);
    Tell(std::move(event), sequence, writer);
  }

 private:
  grpc::Status Subscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                         Writer* writer) override {
    EXPECT_EQ(context->client_metadata().count(kForwardedMetadata), 1u);
    EXPECT_EQ(context->client_metadata().count(kMarkMetadata), 1u);
    behave(streams_++, *request, writer);
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::atomic<bool> released_ = false;
  std::atomic<int> streams_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class OddFeedTest : public NodesTest {
 protected:
  OddFeedTest() : NodesTest(2, /*threads=*/1) {
    members_[1].address = teller_.address();
    PublishThirds();
  }

  // All events that are no heartbeats, until enough() or the end.
  void Read(const v1::SubscribeRequest& request,
            const std::function<bool(const v1::SubscriptionEvent&)>& enough) {
    grpc::ClientContext context;
    const auto reader = members_[0].stub->Subscribe(&context, request);
    v1::SubscribeResponse response;
    bool more = true;
    while (more && reader->Read(&response)) {
      for (const v1::SubscriptionEvent& event : response.events()) {
        if (more && !event.has_heartbeat()) more = !enough(event);
      }
    }
    if (!more) context.TryCancel();
    status_ = reader->Finish();
  }
  v1::SubscribeRequest Request() const {
    v1::SubscribeRequest request;
    request.add_channels(KeyOf(1));
    request.set_heartbeat_ms(100);
    return request;
  }

  OddTeller teller_;
};

TEST_F(OddFeedTest, WhoNeverAcknowledgesIsNotFollowed) {
  teller_.behave = [this](int n, const v1::SubscribeRequest&, Writer* writer) {
    switch (n % 4) {
      case 0:
        return OddTeller::TellMessage(KeyOf(1), "not acknowledged", 1, writer);
      case 1:
        return (void)writer->Write(v1::SubscribeResponse());
      case 2: {
        v1::SubscribeResponse response;
        response.add_events()->mutable_acknowledgement();
        response.mutable_events(0)->set_resume_token("short");
        return (void)writer->Write(response);
      }
      default:
        return;
    }
  };
  Read(Request(), [](const v1::SubscriptionEvent& event) {
    ADD_FAILURE() << event.ShortDebugString();
    return true;
  });
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(status_).reason(), "PEER_UNREACHABLE");
}

// A stream that breaks off goes on where it was; one that cannot has a gap.
TEST_F(OddFeedTest, ABrokenStreamGoesOnFromItsPlace) {
  teller_.behave = [&](int n, const v1::SubscribeRequest& request, Writer* writer) {
    if (n == 0) {
      OddTeller::Acknowledge(false, 10, writer);
      return OddTeller::TellMessage(KeyOf(1), "a", 11, writer);
    }
    const auto place = ResumeToken::Read(request.resume_token());
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(place->sequence, n == 1 ? 11u : 12u);
    OddTeller::Acknowledge(n == 1, place->sequence + (n == 1 ? 0 : 8), writer);
    if (n == 1) return OddTeller::TellMessage(KeyOf(1), "b", 12, writer);
    OddTeller::TellMessage(KeyOf(1), "c", 21, writer);
    teller_.Hold();
  };
  std::string told;
  Read(Request(), [&](const v1::SubscriptionEvent& event) {
    if (event.has_discontinuity()) told += "|";
    told += event.message().payload();
    return event.message().payload() == "c";
  });
  EXPECT_EQ(told, "ab|c");
}

// It is not waited for, though its connection lives.
TEST_F(OddFeedTest, WhoIsSilentIsToldAndFollowedAnew) {
  teller_.behave = [&](int n, const v1::SubscribeRequest&, Writer* writer) {
    OddTeller::Acknowledge(n > 0, 10, writer);
    if (n > 0) OddTeller::TellMessage(KeyOf(1), "again", 11, writer);
    teller_.Hold();
  };
  Read(Request(), [&](const v1::SubscriptionEvent& event) {
    EXPECT_FALSE(event.has_discontinuity()) << "it went on exactly";
    return event.message().payload() == "again";
  });
}

// What expires at a node that no longer owns it is nothing that happened.
TEST_F(OddFeedTest, KeysOfOthersAreNotTold) {
  teller_.behave = [&](int, const v1::SubscribeRequest&, Writer* writer) {
    OddTeller::Acknowledge(false, 10, writer);
    for (const size_t owner : {0, 1}) {
      v1::SubscriptionEvent event;
      event.mutable_key_event()->set_key(KeyOf(owner));
      event.mutable_key_event()->set_kind(v1::KEY_EVENT_KIND_EXPIRE);
      OddTeller::Tell(std::move(event), 11 + owner, writer);
    }
    teller_.Hold();
  };
  v1::SubscribeRequest request = Request();
  request.clear_channels();
  request.add_key_prefixes("");
  Read(request, [&](const v1::SubscriptionEvent& event) {
    if (!event.has_key_event()) return false;
    EXPECT_EQ(event.key_event().key(), KeyOf(1));
    return true;
  });
}

}  // namespace
}  // namespace ferrite
