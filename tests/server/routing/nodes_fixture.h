#pragma once

// Several whole nodes in this process, whose views of their cluster the test sets by hand.

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/slot.h"
#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"
#include "server/node.h"
#include "tests/server/node_fixture.h"

namespace ferrite {

// What a failed call says of itself.
inline google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) && details.details_size() > 0) {
    details.details(0).UnpackTo(&info);
  }
  return info;
}

class NodesTest : public testing::Test {
 protected:
  using Place = cluster::Route::Place;
  using Stub = v1::CacheService::Stub;

  struct Member {
    cluster::PublishedView view;
    cluster::ServingRight right;
    std::unique_ptr<Node> node;
    std::string address;  // where it is, or was
    std::unique_ptr<Stub> stub;
  };

  explicit NodesTest(int nodes = 3, int threads = 2, Settings settings = TestSettings())
      : settings_(std::move(settings)) {
    settings_.threads = threads;
    settings_.http_listen = {};
    for (int i = 0; i < nodes; ++i) Start();
    PublishThirds();
  }
  ~NodesTest() override {
    for (Member& member : members_) {
      if (member.node != nullptr) member.node->Shutdown();
    }
  }

  void Start() {
    Member& member = members_.emplace_back();
    member.right.Set(std::numeric_limits<int64_t>::max());
    member.node =
        std::make_unique<Node>(settings_, Membership{.view = &member.view, .right = &member.right});
    const absl::Status status = member.node->Start();
    EXPECT_TRUE(status.ok()) << status;
    member.address = member.node->grpc_address();
    member.stub = v1::CacheService::NewStub(Connect(member.address));
  }
  void Stop(size_t node) {
    members_[node].node->Shutdown();
    members_[node].node.reset();
  }
  static std::shared_ptr<grpc::Channel> Connect(const std::string& address,
                                                int max_receive_bytes = 4 << 20) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(max_receive_bytes);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  // A slot that another node has owned since that generation.
  struct Moved {
    uint32_t slot;
    size_t owner;
    uint64_t generation;
  };

  // A view in which the nodes own about as many slots each, in their order.
  std::shared_ptr<cluster::ClusterView> ViewOf(size_t node, uint64_t generation = 1) {
    return ViewWith(node, generation, std::nullopt);
  }
  // The same, but for a slot that has moved.
  std::shared_ptr<cluster::ClusterView> ViewWith(size_t node, uint64_t generation,
                                                 const std::optional<Moved>& moved) {
    cluster::ClusterView::Nodes nodes;
    for (size_t i = 0; i < members_.size(); ++i) {
      auto one = std::make_shared<cluster::ViewNode>();
      one->id = NameOfNode(i);
      one->boot_id = i + 1;
      one->address = one->internal_address = members_[i].address;
      nodes.push_back(std::move(one));
    }
    auto view = std::make_shared<cluster::ClusterView>(
        cluster::ClusterView::Version{
            .epoch = ++epoch_, .generation = generation, .cluster_uid = 1},
        std::move(nodes));
    for (size_t i = 0; i < members_.size(); ++i) {
      const auto [first, last] = SlotsOf(i);
      view->Assign(first, last,
                   {i == node ? Place::kHere : Place::kElsewhere, static_cast<uint16_t>(i)});
    }
    if (!moved.has_value()) {
      view->SetOwnedSince(0, 1);
      return view;
    }
    const auto& [slot, owner, since] = *moved;
    view->Assign(slot, slot,
                 {owner == node ? Place::kHere : Place::kElsewhere, static_cast<uint16_t>(owner)});
    if (slot > 0) view->SetOwnedSince(0, 1);
    view->SetOwnedSince(slot, since);
    if (slot + 1 < kSlotCount) view->SetOwnedSince(slot + 1, 1);
    return view;
  }
  void PublishThirds() {
    for (size_t i = 0; i < members_.size(); ++i) members_[i].view.Publish(ViewOf(i));
  }
  std::pair<uint32_t, uint32_t> SlotsOf(size_t node) const {
    const auto begin = [&](size_t i) {
      return static_cast<uint32_t>(i * kSlotCount / members_.size());
    };
    return {begin(node), begin(node + 1) - 1};
  }
  static std::string NameOfNode(size_t node) { return "node-" + std::to_string(node); }

  // A key that the node owns; another one for each number.
  std::string KeyOf(size_t node, int number = 0) const {
    const auto [first, last] = SlotsOf(node);
    for (int i = 0;; ++i) {
      std::string key = "k" + std::to_string(number) + "-" + std::to_string(i);
      if (const uint32_t slot = SlotOf(key); slot >= first && slot <= last) return key;
    }
  }

  // One call through a node.
  template <typename Request, typename Response>
  grpc::Status CallAt(size_t node,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request, Response* response, bool direct = false) {
    grpc::ClientContext context;
    if (direct) context.AddMetadata("ferrite-route", "direct");
    trailers_.clear();
    const grpc::Status status = (members_[node].stub.get()->*method)(&context, request, response);
    for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
      trailers_.emplace(std::string(name.data(), name.size()),
                        std::string(value.data(), value.size()));
    }
    return status;
  }
  grpc::Status SetAt(size_t node, const std::string& key, const std::string& value,
                     bool direct = false) {
    v1::SetRequest request;
    request.set_key(key);
    request.set_value(value);
    v1::SetResponse response;
    return CallAt(node, &Stub::Set, request, &response, direct);
  }
  // The value; "(none)" for a miss, and the status's text for an error.
  std::string GetAt(size_t node, const std::string& key, bool direct = false) {
    v1::GetRequest request;
    request.set_key(key);
    v1::GetResponse response;
    status_ = CallAt(node, &Stub::Get, request, &response, direct);
    if (!status_.ok()) return status_.error_message();
    return response.found() ? response.value() : "(none)";
  }

  Settings settings_;
  std::deque<Member> members_;
  int64_t epoch_ = 0;
  grpc::Status status_;                          // of the last GetAt
  std::map<std::string, std::string> trailers_;  // of the last call
};

}  // namespace ferrite
