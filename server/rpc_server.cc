#include "server/rpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "absl/time/clock.h"
#include "base/check.h"
#include "server/engine/method.h"

namespace ferrite {
namespace {

// Descriptors kept for everything but client connections: HTTP, logs, /proc, gRPC's own.
constexpr size_t kReservedDescriptors = 16;
// A handshake that takes longer holds a descriptor for nothing.
constexpr int kHandshakeTimeoutMs = 10'000;
// Room for a few values of the largest size, or for a batch, beside the limit that the contract
// states.
constexpr size_t kMinReceiveBytes = size_t{4} << 20;

// Raises the limit on descriptors as far as it goes; returns how many connections there may be.
size_t ConnectionLimit(size_t wanted) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const size_t taken = kReservedDescriptors + (error ? 0 : std::distance(descriptors, {}));
  return limit.rlim_cur > taken ? std::min<size_t>(wanted, limit.rlim_cur - taken) : 1;
}

}  // namespace

RpcServer::RpcServer(const Settings& settings, Store* store, CacheHandlers* cache,
                     WireHandlers* wire, EventHub* events, CounterRegistry* counters,
                     Admissions* admissions, SlowCalls* slow_calls)
    : settings_(settings),
      store_(*store),
      cache_(*cache),
      wire_(*wire),
      events_(*events),
      counters_(*counters),
      admissions_(*admissions),
      slow_calls_(*slow_calls) {}

RpcServer::~RpcServer() { FERRITE_CHECK(server_ == nullptr); }

absl::Status RpcServer::Bind() { return listener_.Bind(settings_.listen); }

void RpcServer::Build() {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  for (grpc::Service* service : services_.all()) builder.RegisterService(service);
  builder.RegisterService(health_.service());
  for (int i = 0; i < settings_.threads; ++i) {
    threads_.push_back(
        std::make_unique<QueueThread>(builder.AddCompletionQueue(), &admissions_, &slow_calls_));
  }
  // The accept loop is ours (see Listener); gRPC gets connected sockets.
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());

  const size_t receive_bytes =
      std::max<size_t>(kMinReceiveBytes, 2 * settings_.max_value_bytes) + (64 << 10);
  builder.SetMaxReceiveMessageSize(static_cast<int>(receive_bytes));
  // A small compressed message may unpack to a huge one before gRPC's limit on its size is looked
  // at.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, settings_.max_concurrent_streams);
  // A call past its deadline is refused when it is taken up (CallMeter), and cancelled by its own
  // client. gRPC's timers would cancel it a second time, which costs more than to serve it: a
  // server a little short of CPU then spends all of it on calls that are over.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Clients may ping as often as every 10 s; gRPC's default of 5 min cuts polite ones off.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  if (settings_.max_connection_age > absl::ZeroDuration()) {
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONNECTION_AGE_MS,
        static_cast<int>(absl::ToInt64Milliseconds(settings_.max_connection_age)));
    builder.AddChannelArgument(
        GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
        static_cast<int>(absl::ToInt64Milliseconds(settings_.shutdown_grace)));
  }
  server_ = builder.BuildAndStart();
}

absl::Status RpcServer::Start(AdminHandlers* admin) {
  Build();
  if (server_ == nullptr) return absl::InternalError("gRPC could not be started");
  for (const auto& thread : threads_) {
    Dispatcher* const dispatcher =
        dispatchers_.emplace_back(std::make_unique<Dispatcher>(thread.get(), &events_)).get();
    events_.AddDispatcher(dispatcher);
    thread->BetweenSteps([dispatcher] { dispatcher->RunIfWoken(); });
    services_.ServeOn(thread.get(), &store_, &cache_, &wire_, admin, dispatcher);
  }
  health_.ServeOn(threads_.front().get());
  for (const auto& thread : threads_) thread->Start([this] { counters_.AttachThread(); });
  health_.SetServing(true);
  listener_.Start(ConnectionLimit(settings_.max_connections), [this](int listener, int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = descriptor;
    acceptor_->HandleNewConnection(&parameters);
  });
  return absl::OkStatus();
}

void RpcServer::Shutdown(absl::Duration grace) {
  health_.SetServing(false);
  listener_.Stop();
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->Do([this, i] {
      services_.DrainOn(threads_[i].get());
      dispatchers_[i]->Close();
    });
  }
  std::atomic<bool> stop{false};
  std::thread canceller([&] { CancelWhenIdle(stop); });
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  stop = true;
  canceller.join();
  for (const auto& thread : threads_) thread->Stop();
  threads_.clear();
  server_.reset();
}

void RpcServer::CancelWhenIdle(const std::atomic<bool>& stop) {
  // A call may be between gRPC and its handler when nothing is counted, so one look is not enough.
  constexpr int kLooks = 5;
  constexpr std::chrono::milliseconds kPause(20);
  for (int idle = 0; !stop && idle < kLooks; std::this_thread::sleep_for(kPause)) {
    idle = counters_.Inflight() == 0 ? idle + 1 : 0;
  }
  if (!stop) grpc_server_cancel_all_calls(server_->c_server());
}

}  // namespace ferrite
