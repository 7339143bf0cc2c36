#include "server/engine/grpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/security/server_credentials.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <latch>
#include <map>
#include <string_view>
#include <thread>

#include "base/check.h"
#include "base/steady_waits.h"
#include "server/engine/grpc/admin_mark.h"
#include "server/engine/grpc/rpc_port.h"
#include "server/engine/grpc/tls_credentials.h"
#include "server/steady/timespec.h"

namespace ferrite {
namespace {

// A handshake that takes longer holds a descriptor for nothing.
constexpr int kHandshakeTimeoutMs = 10'000;

// At the end: between looks whether it has come, and for what is to leave then.
constexpr std::chrono::milliseconds kPause(5);
constexpr std::chrono::milliseconds kLastWords(500);
constexpr std::chrono::seconds kForReplies(1);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

void Configure(const GrpcServerOptions& options, const grpc::ResourceQuota& quota,
               grpc::ServerBuilder* builder) {
  // Sizes and compression are our own business (message_check.h).
  builder->SetMaxReceiveMessageSize(-1);
  builder->SetResourceQuota(quota);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  // A call past its deadline is refused when it is taken up (Call), and cancelled by its own
  // client. gRPC's timers would cancel it a second time, which costs more than to serve it: a
  // server a little short of CPU then spends all of it on calls that are over.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Clients may ping as often as every 10 s; gRPC's default of 5 min cuts polite ones off.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  if (options.max_connection_age > absl::ZeroDuration()) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                                Milliseconds(options.max_connection_age));
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                                Milliseconds(options.max_connection_age_grace));
  }
}

void HandTo(grpc::experimental::ExternalConnectionAcceptor* acceptor, int listener,
            int descriptor) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listener;
  parameters.fd = descriptor;
  acceptor->HandleNewConnection(&parameters);
}

}  // namespace

// Keeps ports of different types alive in one list.
class GrpcServer::Port {
 public:
  virtual ~Port() = default;
};

template <typename Responder>
class GrpcServer::PortOf final : public Port {
 public:
  template <typename... Arguments>
  explicit PortOf(Arguments&&... arguments) : port(std::forward<Arguments>(arguments)...) {}
  RpcPort<Responder> port;
};

GrpcServer::GrpcServer(const GrpcServerOptions& options, CounterRegistry* counters,
                       Admissions* admissions, SlowCalls* slow_calls)
    : options_(options), counters_(*counters), admissions_(*admissions), slow_calls_(*slow_calls) {}

GrpcServer::~GrpcServer() { FERRITE_CHECK(server_ == nullptr); }

absl::Status GrpcServer::Build(const std::vector<Rpc>& rpcs) {
  if (!WaitsAreSteady()) {
    spdlog::warn("waits come late when the wall clock is set back: this build cannot prevent it");
  }
  grpc::ServerBuilder builder;
  std::map<std::string_view, ByteService*> services;
  for (const Rpc& rpc : rpcs) {
    const std::string_view name = NameOf(rpc.method).service;
    if (services.contains(name)) continue;
    services[name] = services_.emplace_back(std::make_unique<ByteService>(name)).get();
    builder.RegisterService(services[name]);
  }
  unknown_methods_.RegisterWith(&builder);
  for (int i = 0; i < options_.threads; ++i) {
    // Helpers' queues are not frequently polled (queue_thread.h).
    threads_.push_back(std::make_unique<QueueThread>(static_cast<size_t>(i),
                                                     builder.AddCompletionQueue(i == 0), &team_,
                                                     &admissions_, &slow_calls_));
    threads_.back()->departures()->EndAfter(
        absl::ToChronoNanoseconds(options_.stalled_reply_timeout));
    team_.Add(threads_.back().get());
  }
  // The accept loop is ours (see Listener); gRPC gets connected sockets.
  using ConnectionType = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      ConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  if (options_.tls != nullptr) {
    tls_acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        ConnectionType::FROM_FD, TlsCredentials(options_.tls, AskedOf::kClients));
    own_tls_acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        ConnectionType::FROM_FD, TlsCredentials(options_.tls, AskedOf::kNobody));
  }
  if (options_.marks_administrators) {
    admin_acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        ConnectionType::FROM_FD, MarkedPlainCredentials());
  }
  if (options_.marks_administrators && options_.tls != nullptr) {
    admin_tls_acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        ConnectionType::FROM_FD, TlsCredentials(options_.tls, AskedOf::kClients, /*marks=*/true));
  }
  quota_.emplace("ferrite").Resize(options_.max_buffer_bytes);
  Configure(options_, *quota_, &builder);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not be started");
  for (const Rpc& rpc : rpcs) AddPorts(rpc, services[NameOf(rpc.method).service]);
  unknown_methods_.Arm(team_.threads().front());
  return absl::OkStatus();
}

void GrpcServer::AddPorts(const Rpc& rpc, ByteService* service) {
  QueueThread* const front = team_.threads().front();
  switch (rpc.shape) {
    case Shape::kUnary:
      for (QueueThread* thread : team_.threads()) {
        AddPort<ByteService::UnaryResponder>(service, rpc, thread, {thread});
      }
      break;
    case Shape::kStream:
    case Shape::kFeed:
      AddPort<ByteService::StreamResponder>(service, rpc, front, team_.threads());
      break;
    case Shape::kFrames:
      AddPort<ByteService::FramesResponder>(service, rpc, front, team_.threads());
      break;
  }
}

template <typename Responder>
void GrpcServer::AddPort(ByteService* service, const Rpc& rpc, QueueThread* thread,
                         const std::vector<QueueThread*>& homes) {
  auto held =
      std::make_unique<PortOf<Responder>>(service, &rpc, options_.max_receive_bytes, thread, homes);
  RpcPort<Responder>* const port = &held->port;
  port->Arm();
  thread->WhenCalled([port] { port->Arm(); });
  ports_.push_back(std::move(held));
}

void GrpcServer::Start() {
  for (const auto& thread : threads_) thread->Start([this] { counters_.AttachThread(); });
}

void GrpcServer::Handoff(int listener, int descriptor, bool of_administrators) {
  HandTo(of_administrators ? admin_acceptor_.get() : acceptor_.get(), listener, descriptor);
}

void GrpcServer::HandoffTls(int listener, int descriptor, bool of_administrators) {
  HandTo(of_administrators ? admin_tls_acceptor_.get() : tls_acceptor_.get(), listener, descriptor);
}

void GrpcServer::HandoffOwnTls(int descriptor) {
  constexpr int kNoListener = -1;
  HandTo(own_tls_acceptor_.get(), kNoListener, descriptor);
}

void GrpcServer::Shutdown(absl::Duration grace, const absl::Status& drained,
                          const std::function<void(size_t index)>& on_drain,
                          const std::function<bool()>& close_connections) {
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(grace);
  OnAll([&](QueueThread* thread) {
    thread->Drain(drained);
    on_drain(thread->index());
    thread->TakeUpWhatWaits();
  });
  if (!AwaitIdle(end)) {
    OnAll([](QueueThread* thread) { thread->EndWaits(); });
    AwaitIdle(std::chrono::steady_clock::now() + kLastWords);
  }
  // Replies that clients take get through; of others, most have ended before.
  const auto out = std::min(end, std::chrono::steady_clock::now() + kForReplies);
  while (admissions_.budget.operations() > 0 && std::chrono::steady_clock::now() < out)
    std::this_thread::sleep_for(kPause);
  const auto until = std::chrono::steady_clock::now() + kLastWords;
  while (close_connections() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kPause);
  server_->Shutdown(ToTimespec(std::chrono::steady_clock::now()));
  for (const auto& thread : threads_) thread->Stop();
  server_.reset();
}

void GrpcServer::OnAll(const std::function<void(QueueThread* thread)>& body) {
  std::latch done(static_cast<std::ptrdiff_t>(threads_.size()));
  for (const auto& thread : threads_) {
    thread->Post([thread = thread.get(), &body, &done] {
      body(thread);
      done.count_down();
    });
  }
  done.wait();
}

bool GrpcServer::AwaitIdle(std::chrono::steady_clock::time_point until) const {
  // A call may be between gRPC and its handler when nothing is counted, so one look is not enough.
  constexpr int kLooks = 3;
  for (int idle = 0; idle < kLooks; std::this_thread::sleep_for(kPause)) {
    idle = counters_.Inflight() == 0 ? idle + 1 : 0;
    if (std::chrono::steady_clock::now() >= until) return idle > 0;
  }
  return true;
}

}  // namespace ferrite
