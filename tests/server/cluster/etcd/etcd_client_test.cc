// The client against a real etcd.

#include "server/cluster/etcd/etcd_client.h"

#include <deque>
#include <optional>

#include "base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/cluster/etcd/etcd_process.h"
#include "tests/server/cluster/etcd/waiting_client.h"

namespace ferrite::cluster {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseRevokeRequest;
using ::testing::HasSubstr;

class EtcdClientTest : public testing::Test {
 protected:
  EtcdClientTest() {
    etcd_.Start();
    etcd_.AwaitReady();
    client_.emplace(EtcdOptions{.endpoints = {etcd_.address()}});
  }

  int64_t Grant(int64_t seconds) {
    LeaseGrantRequest request;
    request.set_ttl(seconds);
    const auto answer = Call(&*client_, request);
    EXPECT_EQ(answer.outcome, EtcdOutcome::kAnswered) << answer.error;
    return answer.response.id();
  }
  uint64_t Failures(EtcdOp op, EtcdFailure failure) {
    return client_->tally().of(op).failures[static_cast<size_t>(failure)];
  }

  EtcdProcess etcd_;
  std::optional<EtcdClient> client_;
};

TEST_F(EtcdClientTest, TransactionsAreDoneIfWhatTheyCompareHolds) {
  EXPECT_EQ(Read(&*client_, "/k"), "(none)");
  const auto put = Call(&*client_, Put("/k", "v"));
  ASSERT_EQ(put.outcome, EtcdOutcome::kAnswered) << put.error;
  EXPECT_TRUE(put.response.succeeded());
  EXPECT_GT(put.response.header().revision(), 0);
  EXPECT_NE(put.response.header().cluster_id(), 0u);
  EXPECT_EQ(Read(&*client_, "/k"), "v");
  auto request = Put("/k", "w");
  auto* const compare = request.add_compare();
  compare->set_target(etcdserverpb::Compare::CREATE);
  compare->set_key("/k");
  compare->set_create_revision(0);
  const auto again = Call(&*client_, request);
  EXPECT_EQ(again.outcome, EtcdOutcome::kAnswered);
  EXPECT_FALSE(again.response.succeeded());
  EXPECT_EQ(Read(&*client_, "/k"), "v");
}

TEST_F(EtcdClientTest, AKeyGoesWithItsLease) {
  const int64_t lease = Grant(60);
  ASSERT_NE(lease, 0);
  ASSERT_EQ(Call(&*client_, Put("/k", "v", lease)).outcome, EtcdOutcome::kAnswered);
  LeaseKeepAliveRequest keep;
  keep.set_id(lease);
  const auto kept = Call(&*client_, keep);
  ASSERT_EQ(kept.outcome, EtcdOutcome::kAnswered) << kept.error;
  EXPECT_EQ(kept.response.ttl(), 60);
  LeaseRevokeRequest revoke;
  revoke.set_id(lease);
  EXPECT_EQ(Call(&*client_, revoke).outcome, EtcdOutcome::kAnswered);
  EXPECT_EQ(Read(&*client_, "/k"), "(none)");
  const auto gone = Call(&*client_, keep);
  EXPECT_EQ(gone.outcome, EtcdOutcome::kAnswered);
  EXPECT_LE(gone.response.ttl(), 0);
}

TEST_F(EtcdClientTest, WhatEtcdRefusesIsNotExecuted) {
  LeaseRevokeRequest revoke;
  revoke.set_id(4711);
  const auto answer = Call(&*client_, revoke);
  EXPECT_EQ(answer.outcome, EtcdOutcome::kNotExecuted);
  EXPECT_THAT(answer.error, HasSubstr("lease not found"));
  EXPECT_EQ(Failures(EtcdOp::kLeaseRevoke, EtcdFailure::kRefused), 1u);
  auto both = Put("/a", "v");
  *both.add_success() = Put("/b", "v", 4711).success(0);
  EXPECT_EQ(Call(&*client_, both).outcome, EtcdOutcome::kNotExecuted);
  EXPECT_EQ(Read(&*client_, "/a"), "(none)");
  EXPECT_EQ(Call(&*client_, Put("/a", std::string(2'000'000, 'v'))).outcome,
            EtcdOutcome::kNotExecuted);
}

TEST_F(EtcdClientTest, ACallWithoutAnAnswerMayHaveBeenExecuted) {
  ASSERT_EQ(Call(&*client_, Put("/k", "before")).outcome, EtcdOutcome::kAnswered);
  etcd_.Pause();
  const auto answer = Call(&*client_, Put("/k", "meanwhile"), kImpatience);
  EXPECT_EQ(answer.outcome, EtcdOutcome::kUnknown);
  EXPECT_EQ(Failures(EtcdOp::kTxn, EtcdFailure::kTimeout), 1u);
  etcd_.Resume();
  // Either is right, as the cancellation may overtake it; but nothing else is.
  const std::string value = Read(&*client_, "/k");
  EXPECT_TRUE(value == "meanwhile" || value == "before") << value;
}

TEST_F(EtcdClientTest, ACallThatWasNotSentWasNotExecuted) {
  etcd_.Kill();
  const auto answer = Call(&*client_, Put("/k", "v"));
  EXPECT_EQ(answer.outcome, EtcdOutcome::kNotExecuted) << answer.error;
  EXPECT_THAT(answer.error, HasSubstr(etcd_.address()));
  EXPECT_GE(Failures(EtcdOp::kTxn, EtcdFailure::kUnreachable), 1u);
}

TEST_F(EtcdClientTest, ItIsThereAgainAfterARestart) {
  ASSERT_EQ(Call(&*client_, Put("/k", "v")).outcome, EtcdOutcome::kAnswered);
  etcd_.Kill();
  etcd_.Start();
  etcd_.AwaitReady();
  for (;;) {
    const auto answer = Call(&*client_, Get("/k"));
    if (answer.outcome != EtcdOutcome::kAnswered) continue;  // still in backoff
    EXPECT_EQ(answer.response.responses(0).response_range().kvs(0).value(), "v");
    return;
  }
}

TEST_F(EtcdClientTest, EachCallIsToldItsEndWhenTheClientGoes) {
  ASSERT_EQ(Call(&*client_, Put("/k", "v")).outcome, EtcdOutcome::kAnswered);
  etcd_.Pause();
  auto txn = Begin(&*client_, Put("/k", "v"));
  LeaseKeepAliveRequest keep;
  keep.set_id(1);
  auto kept = Begin(&*client_, keep);
  client_->Watch("/k", "/l", [](const mvccpb::Event&) {});
  client_.reset();
  EXPECT_EQ(txn.get().outcome, EtcdOutcome::kUnknown);
  EXPECT_EQ(kept.get().outcome, EtcdOutcome::kUnknown);
}

// Hints, in order.
class Hints {
 public:
  EtcdClient::Hint Listener() {
    return [this](const mvccpb::Event& event) {
      MutexLock lock(&mutex_);
      keys_.push_back(event.has_kv() ? event.kv().key() : "(begun)");
      changed_.NotifyAll();
    };
  }
  std::string Next() {
    MutexLock lock(&mutex_);
    while (keys_.empty()) changed_.Wait(&mutex_);
    const std::string key = keys_.front();
    keys_.pop_front();
    return key;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::deque<std::string> keys_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(EtcdClientTest, AWatchHintsAtEveryChangeAndBeginsAnewWhenItsStreamEnds) {
  Hints hints;
  client_->Watch("/a/", "/a0", hints.Listener());
  EXPECT_EQ(hints.Next(), "(begun)");
  Call(&*client_, Put("/b/other", "v"));
  Call(&*client_, Put("/a/1", "v"));
  EXPECT_EQ(hints.Next(), "/a/1");
  etcd_.Kill();
  etcd_.Start();
  etcd_.AwaitReady();
  EXPECT_EQ(hints.Next(), "(begun)");
  while (Call(&*client_, Put("/a/2", "v")).outcome != EtcdOutcome::kAnswered) {
  }
  EXPECT_EQ(hints.Next(), "/a/2");
  client_.reset();  // before the hints
}

TEST_F(EtcdClientTest, AnswersAreTimed) {
  for (int i = 0; i < 3; ++i) Call(&*client_, Put("/k", "v"));
  uint64_t count = 0;
  for (const auto& bucket : client_->tally().of(EtcdOp::kTxn).latency) count += bucket;
  EXPECT_EQ(count, 3u);
  EXPECT_GT(client_->tally().of(EtcdOp::kTxn).latency_sum_ns, 0u);
}

TEST(EtcdMembers, AnyMajorityOfThreeSuffices) {
  std::vector<EtcdProcess::Peer> peers;
  for (const char* name : {"e0", "e1", "e2"}) peers.push_back({name, EtcdProcess::FreePort()});
  std::deque<EtcdProcess> members;
  for (size_t i = 0; i < 3; ++i) members.emplace_back(peers, i).Start();
  for (EtcdProcess& member : members) member.AwaitReady();
  EtcdClient client(
      {.endpoints = {members[0].address(), members[1].address(), members[2].address()}});
  const auto until_answered = [&](const etcdserverpb::TxnRequest& request) {
    // A leader may have to be elected.
    while (Call(&client, request, std::chrono::seconds(1)).outcome != EtcdOutcome::kAnswered) {
    }
  };
  until_answered(Put("/k", "three"));
  EXPECT_EQ(client.member(), members[0].address());
  members[0].Kill();
  until_answered(Put("/k", "two"));
  EXPECT_NE(client.member(), members[0].address());
  // A paused member keeps its connections: only silence tells.
  members[0].Start();
  members[0].AwaitReady();
  EtcdProcess& asked = client.member() == members[1].address() ? members[1] : members[2];
  asked.Pause();
  until_answered(Put("/k", "others"));
  EXPECT_NE(client.member(), asked.address());
  asked.Resume();
  EXPECT_EQ(Read(&client, "/k"), "others");
  members[1].Kill();
  members[2].Kill();
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(Call(&client, Put("/k", "one"), kImpatience).outcome, EtcdOutcome::kAnswered);
  members[1].Start();
  members[1].AwaitReady();
  until_answered(Put("/k", "again"));
  EXPECT_EQ(Read(&client, "/k"), "again");
}

}  // namespace
}  // namespace ferrite::cluster
