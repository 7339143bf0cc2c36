#pragma once

// gRPC's server as a front of the engine: queues and their threads, the services, connections that
// somebody else has accepted, and their orderly end.

#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/admission/gate.h"
#include "server/engine/grpc/byte_service.h"
#include "server/engine/grpc/queue_thread.h"
#include "server/engine/grpc/unknown_methods.h"
#include "server/engine/rpc.h"
#include "server/metrics/thread_counters.h"
#include "server/slowlog/slow_calls.h"
#include "server/tls/tls_front.h"

namespace ferrite {

struct GrpcServerOptions {
  int threads = 1;
  // Of a request.
  size_t max_receive_bytes = size_t{4} << 20;
  // What gRPC may hold, of all connections together. Beyond it, gRPC closes idle connections and
  // cancels calls. Its probe of the bandwidth is off: with it, gRPC reads ahead as much as a fast
  // client sends, and then refuses a lone client whose messages would fit (values of 16 MiB and
  // room for 24: 1 of 5; none without the probe); from 80 % of the limit on, it shrinks windows.
  // Windows are then 64 KiB, and as large as the message that is being read.
  size_t max_buffer_bytes = size_t{256} << 20;
  int max_concurrent_streams = 1024;  // of a connection, as it is told its client
  absl::Duration stalled_reply_timeout = absl::Seconds(30);
  absl::Duration max_connection_age;  // zero: no limit
  absl::Duration max_connection_age_grace;
  const TlsFront* tls = nullptr;      // null: there is no TLS; must outlive the server
  bool marks_administrators = false;  // whether there are connections of theirs
};

// Not thread-safe, but for Handoff() and HandoffTls().
class GrpcServer {
 public:
  // All must outlive the server.
  GrpcServer(const GrpcServerOptions& options, CounterRegistry* counters, Admissions* admissions,
             SlowCalls* slow_calls);
  // Shutdown() must have been called if Start() succeeded.
  ~GrpcServer();

  // Makes the server and its threads, which do not run yet. The RPCs must outlive the server; those
  // of one service are served by it.
  absl::Status Build(const std::vector<Rpc>& rpcs);
  const std::vector<QueueThread*>& threads() const { return team_.threads(); }
  // `idle` is called again and again, when all calls that have come have begun; on any thread.
  // Before Start().
  void WhenIdle(std::function<void()> idle) { team_.WhenIdle(std::move(idle)); }
  // How many calls were taken up so far. Thread-safe.
  uint64_t taken_up() const { return team_.taken_up(); }
  // Once it is built: max_buffer_bytes of the options, for connections that are made as well.
  const grpc::ResourceQuota& quota() const { return *quota_; }
  // Starts to serve.
  void Start();
  // Takes over the descriptor of a connection; `listener` is the socket that it came in on, and
  // whether that is the one of administrators, which the options must know of. Thread-safe.
  void Handoff(int listener, int descriptor, bool of_administrators = false);
  // The same for one that speaks TLS, if the options say so. One at a time.
  void HandoffTls(int listener, int descriptor, bool of_administrators = false);
  // The same for one of this process itself, which is not asked for a certificate.
  void HandoffOwnTls(int descriptor);

  // Ends in order: calls that come are refused with `drained`, and feeds and streams of frames end
  // with it after the message that they are at; calls in progress may go on until they end or the
  // grace is over, and end likewise then; then the connections end, and what is on its way to
  // clients that do not read; the queues run dry; the threads end. `on_drain` is called on each
  // thread; `close_connections` is to have no connection receive any more, and returns whether any
  // is open.
  //
  // The connections end first: gRPC would cancel the calls that come after its own end has begun,
  // and before a client has heard of that, without a word.
  void Shutdown(absl::Duration grace, const absl::Status& drained,
                const std::function<void(size_t index)>& on_drain,
                const std::function<bool()>& close_connections);

 private:
  class Port;
  template <typename Responder>
  class PortOf;

  // Has the threads take up calls of `rpc`.
  void AddPorts(const Rpc& rpc, ByteService* service);
  template <typename Responder>
  void AddPort(ByteService* service, const Rpc& rpc, QueueThread* thread,
               const std::vector<QueueThread*>& homes);
  // Waits until no call of Ferrite's own is in progress; false if it is not so by then.
  bool AwaitIdle(std::chrono::steady_clock::time_point until) const;
  // Calls `body` on each thread, and waits until that is done.
  void OnAll(const std::function<void(QueueThread* thread)>& body);

  const GrpcServerOptions options_;
  // Made by Build: it starts gRPC, whose end hangs where no thread can be made.
  std::optional<grpc::ResourceQuota> quota_;
  CounterRegistry& counters_;
  Admissions& admissions_;
  SlowCalls& slow_calls_;
  std::vector<std::unique_ptr<ByteService>> services_;
  UnknownMethods unknown_methods_;
  ThreadTeam team_;
  std::vector<std::unique_ptr<Port>> ports_;  // after the threads have ended
  std::vector<std::unique_ptr<QueueThread>> threads_;
  using Acceptor = std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>;
  Acceptor acceptor_;
  // Null: there is no TLS.
  Acceptor tls_acceptor_;
  Acceptor own_tls_acceptor_;
  // Of connections of administrators. Null: there are none, or no TLS.
  Acceptor admin_acceptor_;
  Acceptor admin_tls_acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ferrite
