// Answers with the status OK that no node sends, but something on the way to one may: none reads as
// "not there", as zero, or as the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "ferrite/v1/cache.pb.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace ferrite {
namespace {

// Answers each call with the same bytes, or with none, and OK.
class BytePeer final : public grpc::CallbackGenericService {
 public:
  explicit BytePeer(std::optional<std::string> answer) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~BytePeer() override { server_->Shutdown(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::optional<std::string>& answer) {
      if (answer.has_value()) {
        const grpc::Slice slice(*answer);
        answer_ = grpc::ByteBuffer(&slice, 1);
        StartWriteAndFinish(&answer_, {}, grpc::Status::OK);
      } else {
        Finish(grpc::Status::OK);
      }
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer answer_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor(answer_);
  }

  const std::optional<std::string> answer_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class GarbageTest : public testing::TestWithParam<std::optional<std::string>> {
 protected:
  GarbageTest()
      : client_(Client::Create({.seeds = {peer_.address()},
                                .routing = RoutingMode::kAnyNode,
                                .default_timeout = absl::Seconds(20)})
                    .value()) {}

  static void ExpectInternal(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("the status OK"));
  }

  BytePeer peer_{GetParam()};
  std::unique_ptr<Client> client_;
};

TEST_P(GarbageTest, IsAnErrorAndNoAnswer) {
  v1::MGetRequest keys;
  keys.add_keys("a");
  keys.add_keys("b");
  ExpectInternal(client_->MGet(keys).status());
  ExpectInternal(client_->ScanPage({}).status());
  ExpectInternal(client_->Info().status());
}

INSTANTIATE_TEST_SUITE_P(Answers, GarbageTest,
                         testing::Values(std::nullopt, "\xff\xff garbage", std::string(3, '\0')));

}  // namespace
}  // namespace ferrite
