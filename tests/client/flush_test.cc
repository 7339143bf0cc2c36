// `ferrite flush` against a peer that deletes nothing but reports whatever the test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/cli/progress.h"
#include "client/error.h"
#include "ferrite/internal/v1/standard.pb.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

v1::FlushWithProgressResponse Progress(uint64_t deleted, double share, bool finished = false) {
  v1::FlushWithProgressResponse progress;
  progress.set_deleted(deleted);
  progress.set_done_fraction(share);
  progress.set_finished(finished);
  return progress;
}

// Says that it is a node of a cluster.
class TopologyPeer final : public v1::ClusterService::Service {
 public:
  grpc::Status GetTopology(grpc::ServerContext*, const v1::GetTopologyRequest*,
                           v1::GetTopologyResponse* response) override {
    *response->mutable_topology() = topology;
    return grpc::Status::OK;
  }

  void AddNode(const std::string& id, const std::string& address) {
    topology.set_cluster("shop");
    v1::TopologyNode* const node = topology.add_nodes();
    node->set_node_id(id);
    node->set_address(address);
  }

  v1::Topology topology;  // empty: it is part of none
};

class FlushPeer final : public v1::AdminService::Service {
 public:
  explicit FlushPeer(grpc::Service* beside = nullptr) {
    grpc::ServerBuilder builder;
    if (beside != nullptr) builder.RegisterService(beside);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FlushPeer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status Flush(grpc::ServerContext*, const v1::FlushRequest*,
                     v1::FlushResponse* response) override {
    response->set_deleted(7);
    return grpc::Status::OK;
  }
  grpc::Status FlushWithProgress(
      grpc::ServerContext* context, const v1::FlushWithProgressRequest*,
      grpc::ServerWriter<v1::FlushWithProgressResponse>* writer) override {
    for (const v1::FlushWithProgressResponse& message : messages) writer->Write(message);
    while (silent && !context->IsCancelled()) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable().wait_for(lock, std::chrono::milliseconds(10));
    }
    return status;
  }

  // Its answer; set before it is called.
  std::vector<v1::FlushWithProgressResponse> messages;
  grpc::Status status;
  bool silent = false;  // after the messages, until the call is cancelled

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class FlushCommandTest : public testing::Test {
 protected:
  Result Flush(std::vector<std::string> options = {}) {
    std::vector<std::string> command = {FERRITE_CLI_PATH, "flush", "--yes"};
    command.insert(command.end(), options.begin(), options.end());
    return RunCommand(command, "", {"FERRITE_SERVER=" + peer_.address()});
  }

  FlushPeer peer_;
};

TEST_F(FlushCommandTest, SaysHowManyEntriesWereDeletedInTheEnd) {
  peer_.messages = {Progress(0, 0), Progress(500, 0.5), Progress(1001, 1, true)};
  const Result text = Flush();
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_EQ(text.out, "deleted 1,001 entries\n");
  EXPECT_EQ(text.err, "");
  const Result json = Flush({"--json"});
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_EQ(json.out, "{\"deleted\":\"1001\"}\n");
}

TEST_F(FlushCommandTest, ShowsABarOnATerminal) {
  peer_.messages = {Progress(0, 0), Progress(500, 0.5), Progress(1001, 1, true)};
  const std::string flush = std::string(FERRITE_CLI_PATH) + " flush --yes";
  const Result run = RunCommand({"script", "--quiet", "--return", "--command", flush, "/dev/null"},
                                "", {"FERRITE_SERVER=" + peer_.address(), "TERM=xterm"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("Deleting ["));
  EXPECT_THAT(run.out, HasSubstr("] 50%, 500 entries"));
  EXPECT_THAT(run.out, HasSubstr("deleted 1,001 entries"));
}

TEST_F(FlushCommandTest, AFailureSaysWhatWasDeletedByThen) {
  peer_.messages = {Progress(0, 0), Progress(1, 0.5)};
  peer_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "it shuts down");
  const Result run = Flush();
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr("it shuts down; 1 entry had been deleted by then"));
}

TEST_F(FlushCommandTest, AFailureKeepsItsReason) {
  internal::v1::ErrorInfo info;
  info.set_reason("SHUTTING_DOWN");
  internal::v1::Status details;
  google::protobuf::Any* detail = details.add_details();
  detail->set_type_url(kErrorInfoTypeUrl);
  detail->set_value(info.SerializeAsString());
  peer_.messages = {Progress(1, 0.5)};
  peer_.status =
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "it shuts down", details.SerializeAsString());
  EXPECT_THAT(Flush({"--json"}).err, HasSubstr(R"("reason":"SHUTTING_DOWN")"));
}

TEST_F(FlushCommandTest, AStreamThatEndsTooEarlyIsAFailure) {
  peer_.messages = {Progress(9, 0.5)};
  const Result run = Flush();
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("before it was finished; 9 entries had been deleted by then"));
}

TEST_F(FlushCommandTest, ASilentServerIsGivenUp) {
  peer_.silent = true;
  const Result run = Flush({"--timeout", "100ms"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("no answer from " + peer_.address() + " within 100ms"));
}

TEST_F(FlushCommandTest, AServerThatOnlyKnowsFlushIsAskedForThat) {
  peer_.status = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  const Result run = Flush();
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "deleted 7 entries\n");
}

TEST_F(FlushCommandTest, OfAClusterOneNodeThatFailsDoesNotKeepTheOthersFull) {
  TopologyPeer cluster;
  FlushPeer peer(&cluster);
  cluster.AddNode("n1", peer.address());
  cluster.AddNode("gone", "");  // it owns slots, but does not live
  cluster.AddNode("n2", "127.0.0.1:1");
  peer.messages = {Progress(0, 0), Progress(1001, 1, true)};
  const auto flush = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {FERRITE_CLI_PATH, "flush", "--yes"});
    return RunCommand(options, "", {"FERRITE_SERVER=" + peer.address()});
  };
  const Result all = flush({});
  EXPECT_EQ(all.exit_code, 2);
  EXPECT_EQ(all.out, "n1: 1,001 entries\ndeleted 1,001 entries of cluster shop\n");
  EXPECT_THAT(all.err, HasSubstr("n2: cannot reach 127.0.0.1:1"));
  EXPECT_THAT(all.err, HasSubstr("1 of 2 nodes were not flushed"));
  const nlohmann::json json = flush({"--json"}).Json();
  EXPECT_EQ(json["deleted"], "1001");
  EXPECT_EQ(json["nodes"].size(), 2u);
  const Result one = flush({"--node", "n1"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(flush({"--node", "n3"}).err, HasSubstr("no node 'n3' lives"));
}

TEST_F(FlushCommandTest, ANodeIsNamedOnlyOfACluster) {
  EXPECT_THAT(Flush({"--node", "n1"}).err, HasSubstr("part of no cluster; leave out --node"));
  TopologyPeer lone;
  const FlushPeer peer(&lone);
  const Result run = RunCommand({FERRITE_CLI_PATH, "flush", "--yes", "--node", "n1"}, "",
                                {"FERRITE_SERVER=" + peer.address()});
  EXPECT_THAT(run.err, HasSubstr("part of no cluster; leave out --node"));
}

TEST(ProgressBarTest, FillsUp) {
  EXPECT_EQ(cli::ProgressBar("Doing", 0), "Doing [>" + std::string(39, ' ') + "] 0%");
  EXPECT_EQ(cli::ProgressBar("Doing", 0.5),
            "Doing [" + std::string(20, '=') + ">" + std::string(19, ' ') + "] 50%");
  EXPECT_EQ(cli::ProgressBar("Doing", 1), "Doing [" + std::string(40, '=') + "] 100%");
  EXPECT_EQ(cli::ProgressBar("Doing", 2), cli::ProgressBar("Doing", 1));
}

}  // namespace
}  // namespace ferrite
