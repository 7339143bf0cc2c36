#pragma once

// A small HTTP server for probes and scrapers. Each connection carries one request. Clients can use
// up neither threads nor memory: there is one thread, connections are few, and each lives for a few
// seconds only. A connection beyond the limit takes the place of the oldest, once those whose
// requests have come are answered: peers that connect and then say nothing keep nobody out.
//
// Over TLS each certificate has a daemon of the library's own. When it is renewed, connections that
// begin get a new daemon, and the old one stays until the last of its connections has ended.

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/descriptor.h"
#include "server/net/accept_loop.h"
#include "server/net/address.h"
#include "server/net/http_certificate.h"
#include "server/net/server_sockets.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace ferrite {

struct HttpRequest {
  std::string_view method;
  std::string_view path;                        // without the query
  std::string_view accept_encoding;             // empty if there is no such header
  std::vector<std::string_view> authorization;  // the headers of that name
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<const char*, std::string>> headers;
  std::string body;
};

// Thread-safe, once it has been started.
class HttpServer {
 public:
  static constexpr size_t kMaxConnections = 32;
  // From the connection to the end of the reply.
  static constexpr std::chrono::seconds kLifetime{10};
  // Of a connection: the request's line and headers.
  static constexpr size_t kMaxRequestBytes = size_t{16} << 10;

  // Answers on the server's one thread. The body is left away where the method is HEAD.
  using Answer = std::function<HttpReply(const HttpRequest&)>;

  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {}
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Serves so many connections at a time; those over TCP over TLS if there is a certificate, and
  // those that came through the file of a Unix domain socket in plaintext, as its permissions say
  // who may connect. Fails with the address and the reason in the text.
  absl::Status Start(const std::vector<Address>& addresses, mode_t unix_mode,
                     size_t most_connections = kMaxConnections,
                     std::optional<HttpTls> tls = std::nullopt);

  // With the ports that were bound.
  const std::vector<Address>& addresses() const { return sockets_.addresses(); }

  // Connections that were closed before their time: for a newer one; because they took too long.
  uint64_t displaced() const { return displaced_.load(std::memory_order_relaxed); }
  uint64_t timed_out() const { return timed_out_.load(std::memory_order_relaxed); }
  // Connections that the library did not take.
  uint64_t not_taken() const { return not_taken_.load(std::memory_order_relaxed); }
  const AcceptLoop& loop() const { return loop_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int descriptor;
    MHD_Daemon* daemon;
    Clock::time_point deadline;
  };
  struct Callbacks;  // what libmicrohttpd calls
  struct StopDaemon {
    void operator()(MHD_Daemon* daemon) const;
  };
  using Daemon = std::unique_ptr<MHD_Daemon, StopDaemon>;

  // One that speaks TLS with that certificate, or plaintext without; null, with errno set, if it
  // cannot be had.
  Daemon StartDaemon(const HttpCertificate* certificate);
  // The one for connections that come in on that socket.
  MHD_Daemon* DaemonFor(int listener);
  // Those of certificates that are no longer shown end when nobody is left.
  void EndIdleDaemons();
  void RunAll();

  void Add(int listener, int descriptor);
  // Closes what is overdue and does what the library has to; returns when it has to again, in ms.
  int Run();
  // Ends the connection that was there first.
  void CloseOldest();
  void Forget(int descriptor);

  const Answer answer_;
  size_t most_connections_ = kMaxConnections;
  ServerSockets sockets_;
  Descriptor ready_;  // an epoll set of those of all daemons
  Daemon plain_;
  std::optional<HttpTls> tls_;
  uint64_t generation_ = 0;     // of the certificate that is shown
  std::list<Daemon> over_tls_;  // the last one is for new connections
  std::list<Connection> open_;  // oldest first; only on the loop's thread
  std::atomic<uint64_t> displaced_{0};
  std::atomic<uint64_t> timed_out_{0};
  std::atomic<uint64_t> not_taken_{0};
  AcceptLoop loop_;
};

}  // namespace ferrite
