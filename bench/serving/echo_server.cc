// The fastest gRPC server that we know how to write, without a cache: the yardstick for what
// Ferrite adds to gRPC. It answers every Get with the same 64 bytes.
//
// N threads, each with a completion queue of its own; call objects are reused; channel settings are
// those of ferrite-server. It prints one line when it serves. As it holds no state, it leaves
// signals to the system.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace ferrite::bench {
namespace {

using Cache = v1::CacheService::AsyncService;
using Health = grpc::health::v1::Health::AsyncService;

// How many calls each queue keeps armed. With fewer than there are in flight, gRPC would queue the
// rest itself.
constexpr int kWaitingCalls = 256;

class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Proceed() = 0;
};

// One call at a time: waits for it, answers it, waits for the next.
template <auto kRequestCall, class Service, class Request, class Response>
class EchoCall final : public Tag {
 public:
  EchoCall(Service* service, grpc::ServerCompletionQueue* queue, const Response* response)
      : service_(*service), queue_(*queue), response_(*response) {
    Wait();
  }

  void Proceed() override {
    if (answering_) return Wait();
    answering_ = true;
    writer_->Finish(response_, grpc::Status::OK, static_cast<Tag*>(this));
  }

 private:
  void Wait() {
    answering_ = false;
    context_.emplace();
    writer_.emplace(&*context_);
    request_.Clear();
    (service_.*kRequestCall)(&*context_, &request_, &*writer_, &queue_, &queue_,
                             static_cast<Tag*>(this));
  }

  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  const Response& response_;
  std::optional<grpc::ServerContext> context_;
  std::optional<grpc::ServerAsyncResponseWriter<Response>> writer_;
  Request request_;
  bool answering_ = false;
};

using GetCall = EchoCall<&Cache::RequestGet, Cache, v1::GetRequest, v1::GetResponse>;
using CheckCall = EchoCall<&Health::RequestCheck, Health, grpc::health::v1::HealthCheckRequest,
                           grpc::health::v1::HealthCheckResponse>;

void Serve(Cache* cache, Health* health, grpc::ServerCompletionQueue* queue) {
  v1::GetResponse response;
  response.set_found(true);
  response.set_value(std::string(64, 'v'));
  response.set_version(1);
  std::vector<std::unique_ptr<Tag>> calls;
  for (int i = 0; i < kWaitingCalls; ++i) {
    calls.push_back(std::make_unique<GetCall>(cache, queue, &response));
  }
  // The load generator checks the health first.
  grpc::health::v1::HealthCheckResponse serving;
  serving.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  calls.push_back(std::make_unique<CheckCall>(health, queue, &serving));
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) {
    if (ok) static_cast<Tag*>(tag)->Proceed();
  }
}

int Main(int argc, char** argv) {
  int threads = 1;
  std::string listen = "127.0.0.1:0";
  CLI::App app("A bare gRPC server that answers every Get with the same 64 bytes");
  app.add_option("--threads", threads, "Threads, each with a queue")->check(CLI::Range(1, 256));
  app.add_option("--listen", listen, "Address; port 0 takes a free one");
  CLI11_PARSE(app, argc, argv);

  Cache cache;
  Health health;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&cache);
  builder.RegisterService(&health);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // The following settings are those of server/rpc_server.cc.
  builder.SetMaxReceiveMessageSize((4 << 20) + (64 << 10));
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1024);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  queues.reserve(threads);
  for (int i = 0; i < threads; ++i) queues.push_back(builder.AddCompletionQueue());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "bench-echo-server: cannot listen on %s\n", listen.c_str());
    return 1;
  }
  std::vector<std::thread> running;
  running.reserve(threads);
  for (const auto& queue : queues) running.emplace_back(Serve, &cache, &health, queue.get());
  std::printf("bench-echo-server ready grpc=127.0.0.1:%d\n", port);
  std::fflush(stdout);

  for (std::thread& thread : running) thread.join();
  return 0;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
