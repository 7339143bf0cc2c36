#pragma once

// A whole node in this process, called over loopback.

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <memory>

#include "server/node.h"

namespace ferrite {

inline Settings TestSettings() {
  Settings settings;
  settings.listen = {{"127.0.0.1", 0}};
  settings.http_listen = {{"127.0.0.1", 0}};
  settings.max_memory_bytes = 256 << 20;
  settings.threads = 2;
  settings.max_value_bytes = 1 << 20;
  settings.max_connections = 100;
  settings.max_concurrent_streams = 1024;
  settings.max_streams = 10'000;
  settings.max_inflight_operations = 10'000;
  settings.max_inflight_bytes = 64 << 20;
  settings.request_window_bytes = 1 << 20;
  settings.shutdown_grace = absl::Seconds(20);
  settings.cluster.lease_ttl = absl::Seconds(3);
  settings.slowlog_threshold = absl::ZeroDuration();  // so that threads meet in the log
  return settings;
}

class NodeTest : public testing::Test {
 protected:
  NodeTest() : node_(settings_) {
    const absl::Status status = node_.Start();
    EXPECT_TRUE(status.ok()) << status;
  }
  ~NodeTest() override {
    if (!ended_) Shutdown();
  }
  void Shutdown() {
    node_.Shutdown();
    ended_ = true;
  }
  // A connection of its own.
  std::shared_ptr<grpc::Channel> Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(node_.grpc_address(), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  const Settings settings_ = TestSettings();
  Node node_;
  bool ended_ = false;
};

}  // namespace ferrite
