#include "server/net/http_server.h"

#include <microhttpd.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "server/net/unix_socket.h"

namespace ferrite {
namespace {

constexpr char kTlsVersions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

// The library promises not to change what it is given.
void* Given(const std::string& text) { return const_cast<char*>(text.c_str()); }

}  // namespace

struct HttpServer::Callbacks {
  static MHD_Result Handle(void* server, MHD_Connection* connection, const char* path,
                           const char* method, const char*, const char*, size_t*, void**) {
    const char* const encodings =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    HttpRequest request{.method = method,
                        .path = path,
                        .accept_encoding = encodings == nullptr ? "" : encodings,
                        .authorization = {}};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &CollectAuthorization, &request);
    const HttpReply reply = static_cast<HttpServer*>(server)->answer_(request);
    MHD_Response* const response = MHD_create_response_from_buffer(
        reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;  // out of memory: it closes the connection
    for (const auto& [name, value] : reply.headers)
      MHD_add_response_header(response, name, value.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const MHD_Result queued =
        MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
    MHD_destroy_response(response);
    return queued;
  }

  static MHD_Result CollectAuthorization(void* request, MHD_ValueKind, const char* name,
                                         const char* value) {
    if (absl::EqualsIgnoreCase(name, MHD_HTTP_HEADER_AUTHORIZATION))
      static_cast<HttpRequest*>(request)->authorization.emplace_back(value == nullptr ? "" : value);
    return MHD_YES;
  }

  static void Notify(void* server, MHD_Connection* connection, void**,
                     MHD_ConnectionNotificationCode code) {
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
    const MHD_ConnectionInfo* const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != nullptr) static_cast<HttpServer*>(server)->Forget(info->connect_fd);
  }
};

void HttpServer::StopDaemon::operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }

HttpServer::~HttpServer() {
  loop_.Stop();
  over_tls_.clear();
  plain_.reset();
}

absl::Status HttpServer::Start(const std::vector<Address>& addresses, mode_t unix_mode,
                               size_t most_connections, std::optional<HttpTls> tls) {
  most_connections_ = most_connections;
  tls_ = std::move(tls);
  if (absl::Status status = sockets_.Listen(addresses, unix_mode); !status.ok()) return status;
  const auto failed = [] {
    return absl::InternalError(
        absl::StrCat("the HTTP server cannot be started: ", ErrorText(errno)));
  };
  ready_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!ready_.valid()) return failed();
  plain_ = StartDaemon(nullptr);
  if (plain_ == nullptr) return failed();
  if (tls_.has_value()) {
    generation_ = tls_->generation();
    const HttpCertificate certificate = tls_->current();
    errno = 0;
    over_tls_.push_back(StartDaemon(&certificate));
    if (over_tls_.back() == nullptr)
      return errno != 0 ? failed()
                        : absl::InvalidArgumentError(
                              "HTTP cannot be served over TLS: GnuTLS does not take the "
                              "certificate or its key");
  }
  return loop_.Start(
      sockets_.descriptors(),
      {.on_connection = [this](int listener, int descriptor) { Add(listener, descriptor); },
       .watched = ready_.get(),
       .on_round = [this] { return Run(); }});
}

HttpServer::Daemon HttpServer::StartDaemon(const HttpCertificate* certificate) {
  MHD_OptionItem options[4] = {{MHD_OPTION_END, 0, nullptr}};
  unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;
  const std::string versions = kTlsVersions;
  if (certificate != nullptr) {
    flags |= MHD_USE_TLS;
    options[0] = {MHD_OPTION_HTTPS_MEM_CERT, 0, Given(certificate->chain)};
    options[1] = {MHD_OPTION_HTTPS_MEM_KEY, 0, Given(certificate->key)};
    options[2] = {MHD_OPTION_HTTPS_PRIORITIES, 0, Given(versions)};
    options[3] = {MHD_OPTION_END, 0, nullptr};
  }
  // Connections and time are limited here; the library's limit is a second line.
  Daemon daemon(MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Callbacks::Handle, this, MHD_OPTION_NOTIFY_CONNECTION,
      &Callbacks::Notify, this, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(2 * kMaxConnections), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kMaxRequestBytes, MHD_OPTION_ARRAY, options, MHD_OPTION_END));
  if (daemon == nullptr) return nullptr;
  epoll_event event{};
  event.events = EPOLLIN;
  const int set = MHD_get_daemon_info(daemon.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  return epoll_ctl(ready_.get(), EPOLL_CTL_ADD, set, &event) == 0 ? std::move(daemon) : nullptr;
}

MHD_Daemon* HttpServer::DaemonFor(int listener) {
  if (!tls_.has_value() || HasFile(listener)) return plain_.get();
  if (const uint64_t now = tls_->generation(); now != generation_) {
    generation_ = now;
    const HttpCertificate certificate = tls_->current();
    if (Daemon renewed = StartDaemon(&certificate); renewed != nullptr) {
      over_tls_.push_back(std::move(renewed));
    } else {
      spdlog::error("HTTP goes on with the certificate before: GnuTLS does not take the new one");
    }
  }
  return over_tls_.back().get();
}

void HttpServer::EndIdleDaemons() {
  while (over_tls_.size() > 1) {
    const MHD_DaemonInfo* const info =
        MHD_get_daemon_info(over_tls_.front().get(), MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    if (info->num_connections != 0) return;
    over_tls_.pop_front();
  }
}

void HttpServer::RunAll() {
  MHD_run(plain_.get());
  for (const Daemon& daemon : over_tls_) MHD_run(daemon.get());
}

void HttpServer::Add(int listener, int descriptor) {
  // Who has sent its request is answered, and leaves, before anybody is displaced.
  if (open_.size() >= most_connections_) RunAll();
  if (open_.size() >= most_connections_) {
    displaced_.fetch_add(1, std::memory_order_relaxed);
    CloseOldest();
  }
  MHD_Daemon* const daemon = DaemonFor(listener);
  open_.push_back({descriptor, daemon, Clock::now() + kLifetime});
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size);
  // It closes the descriptor whenever it fails.
  if (MHD_add_connection(daemon, descriptor, reinterpret_cast<sockaddr*>(&peer), size) == MHD_YES)
    return;
  not_taken_.fetch_add(1, std::memory_order_relaxed);
  Forget(descriptor);
}

int HttpServer::Run() {
  const auto now = Clock::now();
  while (!open_.empty() && open_.front().deadline <= now) {
    timed_out_.fetch_add(1, std::memory_order_relaxed);
    CloseOldest();
  }
  RunAll();
  EndIdleDaemons();
  auto wait = std::chrono::milliseconds::max();
  const auto until = [&wait](MHD_Daemon* daemon) {
    MHD_UNSIGNED_LONG_LONG library_ms = 0;
    if (MHD_get_timeout(daemon, &library_ms) == MHD_YES)
      wait = std::min(wait, std::chrono::milliseconds(library_ms));
  };
  until(plain_.get());
  for (const Daemon& daemon : over_tls_) until(daemon.get());
  if (!open_.empty()) {
    wait =
        std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(open_.front().deadline - now));
  }
  if (wait == std::chrono::milliseconds::max()) return -1;
  return static_cast<int>(std::max<int64_t>(wait.count(), 0));
}

void HttpServer::CloseOldest() {
  const Connection oldest = open_.front();
  shutdown(oldest.descriptor, SHUT_RDWR);
  MHD_run(oldest.daemon);  // meets the end of the stream, and closes it
  Forget(oldest.descriptor);
}

void HttpServer::Forget(int descriptor) {
  const auto found = std::find_if(
      open_.begin(), open_.end(),
      [descriptor](const Connection& connection) { return connection.descriptor == descriptor; });
  if (found != open_.end()) open_.erase(found);
}

}  // namespace ferrite
