// The client against what is no etcd, or a broken one.

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/cluster/etcd/strange_server.h"
#include "tests/server/cluster/etcd/waiting_client.h"

namespace ferrite::cluster {
namespace {

using ::testing::HasSubstr;

TEST(EtcdGarbage, WhoeverDoesNotSpeakHttp2GetsNoRequest) {
  StrangeServer server([](int connection) {
    StrangeServer::Send(connection, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    StrangeServer::ReadAll(connection);
  });
  EtcdClient client({.endpoints = {server.address()}});
  EXPECT_EQ(Call(&client, Put("/k", "v"), std::chrono::seconds(2)).outcome,
            EtcdOutcome::kNotExecuted);
}

TEST(EtcdGarbage, ABrokenAnswerTellsNothing) {
  StrangeServer server([](int connection) {
    StrangeServer::AwaitRequest(connection);
    StrangeServer::Send(connection, std::string(100'000, '\xee'));
    StrangeServer::ReadAll(connection);
  });
  EtcdClient client({.endpoints = {server.address()}});
  EXPECT_EQ(Call(&client, Put("/k", "v")).outcome, EtcdOutcome::kUnknown);
}

TEST(EtcdGarbage, AConnectionThatIsLostAfterTheRequestTellsNothing) {
  StrangeServer server([](int connection) { StrangeServer::AwaitRequest(connection); });
  EtcdClient client({.endpoints = {server.address()}});
  EXPECT_EQ(Call(&client, Put("/k", "v")).outcome, EtcdOutcome::kUnknown);
  etcdserverpb::LeaseKeepAliveRequest keep;
  keep.set_id(1);
  EXPECT_NE(Call(&client, keep).outcome, EtcdOutcome::kAnswered);
}

TEST(EtcdGarbage, SilenceEndsWithTheTime) {
  StrangeServer server([](int connection) {
    StrangeServer::AwaitRequest(connection);
    StrangeServer::ReadAll(connection);
  });
  EtcdClient client({.endpoints = {server.address()}});
  const auto answer = Call(&client, Put("/k", "v"), kImpatience);
  EXPECT_EQ(answer.outcome, EtcdOutcome::kUnknown);
  EXPECT_THAT(answer.error, HasSubstr("no answer in time"));
}

// Answers as the test says.
class FakeEtcd final : public etcdserverpb::KV::Service, public etcdserverpb::Watch::Service {
 public:
  FakeEtcd() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<etcdserverpb::KV::Service*>(this));
    builder.RegisterService(static_cast<etcdserverpb::Watch::Service*>(this));
    server_ = builder.BuildAndStart();
    address = "127.0.0.1:" + std::to_string(port);
  }

  grpc::Status Txn(grpc::ServerContext*, const etcdserverpb::TxnRequest*,
                   etcdserverpb::TxnResponse* response) override {
    ++txns;
    *response = answer;
    return status;
  }
  grpc::Status Watch(grpc::ServerContext*,
                     grpc::ServerReaderWriter<etcdserverpb::WatchResponse,
                                              etcdserverpb::WatchRequest>* stream) override {
    etcdserverpb::WatchRequest request;
    stream->Read(&request);
    ++watches;
    watches.notify_all();
    etcdserverpb::WatchResponse response;
    response.set_canceled(true);
    response.set_compact_revision(7);
    response.add_events()->mutable_kv()->set_key("old");
    stream->Write(response);
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  }

  std::string address;
  grpc::Status status;
  etcdserverpb::TxnResponse answer;
  std::atomic<int> txns = 0;
  std::atomic<int> watches = 0;

 private:
  std::unique_ptr<grpc::Server> server_;
};

TEST(EtcdGarbage, AnAnswerThatIsTooLargeTellsNothing) {
  FakeEtcd etcd;
  etcd.answer.add_responses()->mutable_response_range()->add_kvs()->set_value(
      std::string(kMaxEtcdAnswerBytes, 'v'));
  EtcdClient client({.endpoints = {etcd.address}});
  EXPECT_EQ(Call(&client, Put("/k", "v")).outcome, EtcdOutcome::kUnknown);
  EXPECT_EQ(etcd.txns, 1);
}

TEST(EtcdGarbage, OnlyWhatWasCertainlyNotExecutedGoesToTheNextMember) {
  struct {
    grpc::Status status;
    EtcdOutcome outcome;
    int others;
  } const cases[] = {
      {{grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader"}, EtcdOutcome::kAnswered, 1},
      {{grpc::StatusCode::UNAVAILABLE, "etcdserver: request timed out"}, EtcdOutcome::kUnknown, 0},
      {{grpc::StatusCode::UNAVAILABLE, ""}, EtcdOutcome::kUnknown, 0},
      {{grpc::StatusCode::INTERNAL, "?"}, EtcdOutcome::kUnknown, 0},
      {{grpc::StatusCode::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"},
       EtcdOutcome::kNotExecuted,
       0},
      {{grpc::StatusCode::RESOURCE_EXHAUSTED, "Received message larger than max"},
       EtcdOutcome::kUnknown,
       0},
      {{grpc::StatusCode::PERMISSION_DENIED, "no"}, EtcdOutcome::kNotExecuted, 0},
  };
  for (const auto& each : cases) {
    FakeEtcd first, second;
    first.status = each.status;
    EtcdClient client({.endpoints = {first.address, second.address}});
    EXPECT_EQ(Call(&client, Put("/k", "v")).outcome, each.outcome) << each.status.error_message();
    EXPECT_EQ(first.txns, 1);
    EXPECT_EQ(second.txns, each.others) << each.status.error_message();
  }
}

TEST(EtcdGarbage, AWatchThatIsCancelledBeginsAnewAndItsEventsAreNotTaken) {
  FakeEtcd etcd;
  std::atomic<int> hints = 0;
  EtcdClient client({.endpoints = {etcd.address}});
  client.Watch("/a", "/b", [&](const mvccpb::Event&) { ++hints; });
  for (int seen = etcd.watches; seen < 3; seen = etcd.watches) etcd.watches.wait(seen);
  EXPECT_EQ(hints, 0);
}

// For the thread sanitizer: also just when it waits for its next try.
TEST(EtcdGarbage, AWatchEndsAtAnyMoment) {
  for (int moment = 0; moment < 100; ++moment) {
    EtcdClient client({.endpoints = {"127.0.0.1:1"}});
    client.Watch("/a", "/b", [](const mvccpb::Event&) {});
    std::atomic<int> passed = 0;
    while (passed < moment * 2000) ++passed;
  }
}

}  // namespace
}  // namespace ferrite::cluster
