// What commands about many keys say of those that have no answer, as their node is down: not that
// they are not there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

// Has all keys but "lost", of which it knows nothing, and takes "busy" at the second try.
class NodeThatMissesAnother final : public v1::CacheService::Service {
 public:
  NodeThatMissesAnother() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~NodeThatMissesAnother() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status MGet(grpc::ServerContext*, const v1::MGetRequest* request,
                    v1::MGetResponse* response) override {
    Answer(request->keys(), response, [&](const std::string& key, bool lost) {
      v1::GetResponse* const result = response->add_results();
      result->set_found(!lost);
      if (!lost) result->set_value("of " + key);
    });
    return grpc::Status::OK;
  }
  grpc::Status Exists(grpc::ServerContext*, const v1::ExistsRequest* request,
                      v1::ExistsResponse* response) override {
    Answer(request->keys(), response,
           [&](const std::string&, bool lost) { response->add_exists(!lost); });
    return grpc::Status::OK;
  }
  grpc::Status MDelete(grpc::ServerContext*, const v1::MDeleteRequest* request,
                       v1::MDeleteResponse* response) override {
    Answer(request->keys(), response,
           [&](const std::string&, bool lost) { response->add_deleted(!lost); });
    return grpc::Status::OK;
  }

  grpc::Status MSet(grpc::ServerContext*, const v1::MSetRequest* request,
                    v1::MSetResponse* response) override {
    for (const v1::SetRequest& entry : request->entries()) {
      v1::MSetResult* const result = response->add_results();
      if (entry.key() == "busy" && !was_busy_.exchange(true)) {
        result->mutable_error()->set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
        result->mutable_error()->set_reason(v1::OVERLOADED);
      } else {
        result->mutable_response()->set_stored(true);
      }
    }
    return grpc::Status::OK;
  }

 private:
  template <class Keys, class Response, class Add>
  static void Answer(const Keys& keys, Response* response, Add add) {
    for (int i = 0; i < keys.size(); ++i) {
      const bool lost = keys[i] == "lost";
      add(keys[i], lost);
      if (!lost) continue;
      v1::KeyError* const error = response->add_errors();
      error->set_index(static_cast<uint32_t>(i));
      error->mutable_error()->set_code(grpc::StatusCode::UNAVAILABLE);
      error->mutable_error()->set_reason(v1::PEER_UNREACHABLE);
      error->mutable_error()->set_message("its node is gone");
    }
  }

  int port_ = 0;
  std::atomic<bool> was_busy_{false};
  std::unique_ptr<grpc::Server> server_;
};

class KeyErrorsTest : public testing::Test {
 protected:
  Result Ferrite(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    return RunCommand(arguments, input, {"FERRITE_SERVER=" + node_.address()});
  }
  // The command has said so, and what it has to say of the other two keys.
  static void ExpectError(const Result& run, const std::string& out) {
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_EQ(run.out, out);
    EXPECT_EQ(run.err, "lost: its node is gone\n");
  }

  NodeThatMissesAnother node_;
};

TEST_F(KeyErrorsTest, AreNotTakenForMisses) {
  ExpectError(Ferrite({"mget", "a", "lost", "b"}), "a: of a\nb: of b\n");
  ExpectError(Ferrite({"get", "--stdin"}, "a\nlost\nb\n"), "of a\nof b\n");
  ExpectError(Ferrite({"exists", "a", "lost", "b"}), "a: yes\nb: yes\n");
  ExpectError(Ferrite({"del", "a", "lost", "b"}), "deleted 2 of 3\n");
}

TEST_F(KeyErrorsTest, OfANodeThatHasTooMuchToDoMakeLoadAskAgain) {
  const Result load = Ferrite({"load", "--json"}, "a,1\nbusy,2\nb,3\n");
  EXPECT_EQ(load.exit_code, 0) << load.err;
  EXPECT_EQ(load.Json()["loaded"], "3");
}

TEST_F(KeyErrorsTest, AreNamedInJson) {
  for (const char* command : {"mget", "exists", "del"}) {
    const Result run = Ferrite({command, "--json", "a", "lost", "b"});
    EXPECT_EQ(run.exit_code, 2) << command;
    const nlohmann::json results = run.Json()["results"];
    ASSERT_EQ(results.size(), 3u) << command;
    EXPECT_EQ(results[1]["key"], "lost");
    EXPECT_EQ(results[1]["error"]["reason"], "PEER_UNREACHABLE");
    EXPECT_FALSE(results[0].contains("error"));
  }
}

}  // namespace
}  // namespace ferrite
