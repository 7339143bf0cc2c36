// Nodes whose peer is a gRPC server that does not behave as a node does.

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/call/status.h"
#include "server/engine/grpc/wire_status.h"
#include "server/routing/lane.h"
#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

using Stream = grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>;

// Serves Pipeline as the test says.
class OddPeer final : public v1::CacheService::Service {
 public:
  OddPeer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OddPeer() override {
    released_ = true;
    released_.notify_all();
    server_->Shutdown(std::chrono::system_clock::now());  // its streams are cancelled
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // What it does with a frame: writes to the reply, or returns false to end the stream with `end`.
  std::function<bool(const v1::PipelineRequest&, v1::PipelineResponse*)> behave;
  grpc::Status end;

  void Release() {
    released_ = true;
    released_.notify_all();
  }
  void AwaitRelease() { released_.wait(false); }
  int streams() const { return streams_; }

 private:
  grpc::Status Pipeline(grpc::ServerContext* context, Stream* stream) override {
    EXPECT_EQ(context->client_metadata().count(kForwardedMetadata), 1u);
    ++streams_;
    v1::PipelineRequest frame;
    while (stream->Read(&frame)) {
      v1::PipelineResponse reply;
      if (!behave(frame, &reply)) return end;
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::atomic<bool> released_ = false;
  std::atomic<int> streams_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

void StoreAll(const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
  for (int i = 0; i < frame.operations_size(); ++i) {
    reply->add_results()->mutable_set()->set_stored(true);
  }
}

class OddPeerTest : public NodesTest {
 protected:
  // With one thread there is one lane to the peer.
  OddPeerTest() : NodesTest(2, /*threads=*/1) {
    peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
      StoreAll(frame, reply);
      return true;
    };
    members_[1].address = peer_.address();
    PublishThirds();
  }

  void ExpectUnreachable(const grpc::Status& status, const std::string& executed) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    EXPECT_EQ(InfoOf(status).reason(), "PEER_UNREACHABLE");
    EXPECT_EQ(InfoOf(status).metadata().at("executed"), executed);
  }

  OddPeer peer_;
};

TEST_F(OddPeerTest, RepliesThatMakeNoSenseAreNotTaken) {
  const auto store_all = peer_.behave;
  // Too many results, results of another kind, none at all.
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    StoreAll(frame, reply);
    StoreAll(frame, reply);
    return true;
  };
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.behave = [](const v1::PipelineRequest&, v1::PipelineResponse* reply) {
    reply->add_results();
    return true;
  };
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.behave = [](const v1::PipelineRequest&, v1::PipelineResponse* reply) {
    reply->add_results()->mutable_incr()->set_value(1);
    return true;
  };
  EXPECT_EQ(SetAt(0, KeyOf(1), "v").error_code(), grpc::StatusCode::INTERNAL);
  peer_.behave = store_all;
  EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok());
}

TEST_F(OddPeerTest, TheEndOfAStreamTellsWhetherAnythingWasDone) {
  peer_.behave = [](const auto&, auto*) { return false; };
  peer_.end = grpc::Status(grpc::StatusCode::INTERNAL, "odd");
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "unknown");
  peer_.end =
      ToGrpc(MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN, "the server shuts down"));
  ExpectUnreachable(SetAt(0, KeyOf(1), "v"), "no");
  peer_.end = ToGrpc(MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, "too much"));
  const grpc::Status status = SetAt(0, KeyOf(1), "v");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(status).reason(), "OVERLOADED");
  EXPECT_EQ(trailers_.count("grpc-retry-pushback-ms"), 1u);
}

TEST_F(OddPeerTest, WhatWaitsForAPeerIsLimited) {
  peer_.behave = [this](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    peer_.AwaitRelease();
    StoreAll(frame, reply);
    return true;
  };
  constexpr int kCalls = 14;
  constexpr int kFitting = static_cast<int>(Lane::kMaxBytes >> 20);
  std::atomic<int> refused = 0;
  std::atomic<int> stored = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kCalls; ++i) {
    clients.emplace_back([&, i] {
      grpc::ClientContext context;
      v1::SetRequest request;
      request.set_key(KeyOf(1, i));
      request.set_value(std::string(1 << 20, 'v'));
      v1::SetResponse response;
      const grpc::Status status = members_[0].stub->Set(&context, request, &response);
      if (status.ok()) {
        ++stored;
        return;
      }
      EXPECT_EQ(InfoOf(status).reason(), "OVERLOADED");
      EXPECT_EQ(InfoOf(status).metadata().at("node"), "node-1");
      if (++refused == kCalls - kFitting) peer_.Release();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, kCalls - kFitting);
  EXPECT_EQ(stored, kFitting);
  EXPECT_EQ(peer_.streams(), 1);
  EXPECT_TRUE(SetAt(0, KeyOf(1), "v").ok());
}

TEST_F(OddPeerTest, ANodeEndsThoughItsPeerDoesNotAnswer) {
  std::atomic<bool> asked = false;
  peer_.behave = [&](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
    asked = true;
    asked.notify_all();
    peer_.AwaitRelease();
    StoreAll(frame, reply);
    return true;
  };
  grpc::ClientContext context;
  std::thread client([&] {
    v1::SetRequest request;
    request.set_key(KeyOf(1));
    v1::SetResponse response;
    EXPECT_EQ(members_[0].stub->Set(&context, request, &response).error_code(),
              grpc::StatusCode::CANCELLED);
  });
  asked.wait(false);
  EXPECT_EQ(GetAt(0, KeyOf(0)), "(none)");  // nobody else waits for it
  context.TryCancel();
  client.join();
  Stop(0);
}

}  // namespace
}  // namespace ferrite
