// Holds the simulator's etcd against a real one: the same requests must get the same answers.

#include "tests/simulation/sim_etcd.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "etcd/rpc.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/server/cluster/etcd/etcd_process.h"
#include "tests/simulation/random.h"

namespace ferrite::simulation {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

constexpr int64_t kLeases[] = {101, 102, 103};

// Requests that meet: few keys, of two prefixes, and revisions that are or were.
class Requests {
 public:
  explicit Requests(uint64_t seed) : random_(seed) {}

  std::string Key() {
    const char* prefixes[] = {"/a/", "/b/"};
    return absl::StrFormat("%s%d", prefixes[random_.Below(2)], random_.Below(4));
  }

  Compare SomeCompare(int64_t revision) {
    Compare compare;
    compare.set_result(static_cast<Compare::CompareResult>(random_.Below(4)));
    compare.set_target(static_cast<Compare::CompareTarget>(random_.Below(5)));
    compare.set_key(Key());
    const int64_t near = random_.Chance(0.3) ? 0 : random_.Between(revision - 10, revision + 1);
    switch (compare.target()) {
      case Compare::VERSION:
        compare.set_version(random_.Between(0, 4));
        break;
      case Compare::CREATE:
        compare.set_create_revision(near);
        break;
      case Compare::MOD:
        compare.set_mod_revision(near);
        break;
      case Compare::LEASE:
        compare.set_lease(SomeLease());
        break;
      default:
        compare.set_value(Value());
        break;
    }
    if (random_.Chance(0.3)) {
      compare.set_key("/a/");
      compare.set_range_end("/a0");
    }
    return compare;
  }

  RequestOp Operation(int64_t revision) {
    RequestOp operation;
    if (random_.Chance(0.4)) {
      auto& put = *operation.mutable_request_put();
      put.set_key(Key());
      put.set_value(Value());
      put.set_lease(SomeLease());
    } else if (random_.Chance(0.3)) {
      auto& remove = *operation.mutable_request_delete_range();
      remove.set_key(Key());
      if (random_.Chance(0.1)) {
        remove.set_key("/b/");
        remove.set_range_end("/b0");
      }
    } else {
      auto& range = *operation.mutable_request_range();
      range.set_key(Key());
      if (random_.Chance(0.5)) {
        range.set_key("/a/");
        range.set_range_end("/a0");
      }
      if (random_.Chance(0.3)) range.set_keys_only(true);
      if (random_.Chance(0.2)) range.set_count_only(true);
      if (random_.Chance(0.4))
        range.set_min_mod_revision(random_.Between(revision - 10, revision + 2));
    }
    return operation;
  }

  TxnRequest Txn(int64_t revision) {
    TxnRequest request;
    for (uint64_t count = random_.Below(3); count > 0; --count)
      *request.add_compare() = SomeCompare(revision);
    AddOperations(request.mutable_success(), revision);
    AddOperations(request.mutable_failure(), revision);
    return request;
  }

  Random& random() { return random_; }

 private:
  std::string Value() { return std::string(random_.Below(3), 'v'); }
  int64_t SomeLease() { return random_.Chance(0.6) ? 0 : kLeases[random_.Below(3)]; }

  // etcd refuses a transaction that writes a key twice.
  void AddOperations(google::protobuf::RepeatedPtrField<RequestOp>* operations, int64_t revision) {
    bool writes = false;
    for (uint64_t count = random_.Below(4); count > 0; --count) {
      RequestOp operation = Operation(revision);
      if (!operation.has_request_range() && std::exchange(writes, true)) continue;
      *operations->Add() = operation;
    }
  }

  Random random_;
};

// What has to be the same. The headers within are not used by anybody.
std::string Comparable(TxnResponse response) {
  for (auto& operation : *response.mutable_responses()) {
    operation.mutable_response_range();
    if (operation.has_response_range()) operation.mutable_response_range()->clear_header();
  }
  const int64_t revision = response.header().revision();
  response.clear_header();
  return absl::StrFormat("revision %d %s", revision, response.ShortDebugString());
}

TEST(SimEtcd, AnswersAsARealOne) {
  cluster::EtcdProcess process;
  process.Start();
  process.AwaitReady();
  const auto channel = grpc::CreateChannel(process.address(), grpc::InsecureChannelCredentials());
  const auto kv = etcdserverpb::KV::NewStub(channel);
  const auto leases = etcdserverpb::Lease::NewStub(channel);
  SimEtcd sim;
  Requests requests(1);
  int refused = 0;
  int succeeded = 0;
  for (int round = 0; round < 4000; ++round) {
    grpc::ClientContext context;
    const int64_t revision = sim.state().revision;
    if (requests.random().Chance(0.1)) {
      const int64_t id = kLeases[requests.random().Below(3)];
      switch (requests.random().Below(3)) {
        case 0: {
          etcdserverpb::LeaseGrantRequest request;
          request.set_id(id);
          request.set_ttl(3600);
          etcdserverpb::LeaseGrantResponse real, simulated;
          const bool done = sim.Grant(request, 0, &simulated);
          ASSERT_EQ(leases->LeaseGrant(&context, request, &real).ok(), done) << round;
          ASSERT_EQ(real.ttl(), simulated.ttl());
          ASSERT_EQ(real.id(), simulated.id());
          break;
        }
        case 1: {
          etcdserverpb::LeaseRevokeRequest request;
          request.set_id(id);
          etcdserverpb::LeaseRevokeResponse real, simulated;
          const bool done = sim.Revoke(request, &simulated);
          ASSERT_EQ(leases->LeaseRevoke(&context, request, &real).ok(), done) << round;
          if (done) {
            ASSERT_EQ(real.header().revision(), simulated.header().revision());
          }
          break;
        }
        case 2: {
          etcdserverpb::LeaseKeepAliveRequest request;
          request.set_id(id);
          etcdserverpb::LeaseKeepAliveResponse real, simulated;
          ASSERT_TRUE(sim.KeepAlive(request, 0, &simulated));
          const auto stream = leases->LeaseKeepAlive(&context);
          ASSERT_TRUE(stream->Write(request) && stream->Read(&real)) << round;
          ASSERT_EQ(real.ttl(), simulated.ttl()) << round;
          stream->WritesDone();
          ASSERT_TRUE(stream->Finish().ok());
          break;
        }
      }
      continue;
    }
    const TxnRequest request = requests.Txn(revision);
    TxnResponse real, simulated;
    const bool done = sim.Txn(request, &simulated);
    const grpc::Status status = kv->Txn(&context, request, &real);
    ASSERT_EQ(status.ok(), done) << round << ": " << status.error_message() << "\n"
                                 << request.ShortDebugString();
    if (done) {
      succeeded += real.succeeded();
      ASSERT_EQ(Comparable(real), Comparable(simulated)) << round << "\n"
                                                         << request.ShortDebugString();
    } else {
      ++refused;
    }
  }
  // All kinds of ends were among them.
  EXPECT_GT(refused, 100);
  EXPECT_GT(succeeded, 1000);
  EXPECT_LT(succeeded, 3000);
}

TEST(SimEtcd, LeasesEndWithTheirKeys) {
  SimEtcd sim;
  int told = 0;
  sim.Listen(
      [&told](const mvccpb::Event& event) { told += event.type() == mvccpb::Event::DELETE; });
  etcdserverpb::LeaseGrantRequest grant;
  grant.set_id(7);
  grant.set_ttl(2);
  etcdserverpb::LeaseGrantResponse granted;
  ASSERT_TRUE(sim.Grant(grant, 0, &granted));
  sim.Put("/a/1", "x", 7);
  sim.Put("/a/2", "x", 7);
  sim.Put("/a/3", "x");
  etcdserverpb::LeaseKeepAliveRequest keep;
  keep.set_id(7);
  etcdserverpb::LeaseKeepAliveResponse kept;
  ASSERT_TRUE(sim.KeepAlive(keep, 1'500'000'000, &kept));
  sim.Expire(3'499'999'999);
  EXPECT_NE(sim.Find("/a/1"), nullptr);
  const int64_t before = sim.state().revision;
  sim.Expire(3'500'000'000);
  EXPECT_EQ(sim.Find("/a/1"), nullptr);
  EXPECT_EQ(sim.Find("/a/2"), nullptr);
  EXPECT_NE(sim.Find("/a/3"), nullptr);
  EXPECT_EQ(sim.state().revision, before + 1);
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace ferrite::simulation
