#pragma once

// A node whose only peer is a gRPC server that does not behave as a node does.

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "ferrite/internal/v1/peer.grpc.pb.h"
#include "server/routing/lane.h"
#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {

// Serves Pipeline as the test says. Whether it lives is up to the test as well.
class OddPeer final : public v1::CacheService::Service, public internal::v1::PeerService::Service {
 public:
  OddPeer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(static_cast<v1::CacheService::Service*>(this));
    builder.RegisterService(static_cast<internal::v1::PeerService::Service*>(this));
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
  int frames() const { return frames_; }
  int probes() const { return probes_; }
  // Says that it lives only once it is released.
  std::atomic<bool> frozen = false;

 private:
  using Stream = grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>;

  grpc::Status Hello(grpc::ServerContext*, const internal::v1::HelloRequest*,
                     internal::v1::HelloResponse*) override {
    ++probes_;
    if (frozen) AwaitRelease();
    return grpc::Status::OK;
  }
  grpc::Status Pipeline(grpc::ServerContext* context, Stream* stream) override {
    EXPECT_EQ(context->client_metadata().count(kForwardedMetadata), 1u);
    ++streams_;
    v1::PipelineRequest frame;
    while (stream->Read(&frame)) {
      ++frames_;
      v1::PipelineResponse reply;
      if (!behave(frame, &reply)) return end;
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::atomic<bool> released_ = false;
  std::atomic<int> streams_ = 0;
  std::atomic<int> frames_ = 0;
  std::atomic<int> probes_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

inline void StoreAll(const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
  for (int i = 0; i < frame.operations_size(); ++i) {
    reply->add_results()->mutable_set()->set_stored(true);
  }
}

class OddPeerTest : public NodesTest {
 protected:
  // With one thread there is one lane to the peer.
  explicit OddPeerTest(const Settings& settings = TestSettings())
      : NodesTest(2, /*threads=*/1, settings) {
    peer_.behave = [](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
      StoreAll(frame, reply);
      return true;
    };
    members_[1].address = peer_.address();
    PublishThirds();
  }
  // It answers nothing until it is released.
  void Freeze() {
    peer_.frozen = true;
    peer_.behave = [this](const v1::PipelineRequest& frame, v1::PipelineResponse* reply) {
      peer_.AwaitRelease();
      StoreAll(frame, reply);
      return true;
    };
  }

  void ExpectUnreachable(const grpc::Status& status, const std::string& executed) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    EXPECT_EQ(InfoOf(status).reason(), "PEER_UNREACHABLE");
    EXPECT_EQ(InfoOf(status).metadata().at("executed"), executed);
  }

  OddPeer peer_;
};

}  // namespace ferrite
