#include "server/net/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"

namespace ferrite {

struct HttpServer::Callbacks {
  static MHD_Result Handle(void* server, MHD_Connection* connection, const char* path,
                           const char* method, const char*, const char*, size_t*, void**) {
    const char* const encodings =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    const HttpReply reply = static_cast<HttpServer*>(server)->answer_(
        {.method = method, .path = path, .accept_encoding = encodings == nullptr ? "" : encodings});
    // The library promises not to change it.
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

  static void Notify(void* server, MHD_Connection* connection, void**,
                     MHD_ConnectionNotificationCode code) {
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
    const MHD_ConnectionInfo* const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != nullptr) static_cast<HttpServer*>(server)->Forget(info->connect_fd);
  }
};

HttpServer::~HttpServer() {
  loop_.Stop();
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

absl::Status HttpServer::Start(const std::vector<Address>& addresses, mode_t unix_mode,
                               size_t most_connections) {
  most_connections_ = most_connections;
  if (absl::Status status = sockets_.Listen(addresses, unix_mode); !status.ok()) return status;
  // Connections and time are limited here; the library's limit is a second line.
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr,
                             &Callbacks::Handle, this, MHD_OPTION_NOTIFY_CONNECTION,
                             &Callbacks::Notify, this, MHD_OPTION_CONNECTION_LIMIT,
                             static_cast<unsigned>(2 * kMaxConnections),
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMaxRequestBytes, MHD_OPTION_END);
  if (daemon_ == nullptr)
    return absl::InternalError(
        absl::StrCat("the HTTP server cannot be started: ", ErrorText(errno)));
  const MHD_DaemonInfo* const info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  return loop_.Start(sockets_.descriptors(),
                     {.on_connection = [this](int, int descriptor) { Add(descriptor); },
                      .watched = info->epoll_fd,
                      .on_round = [this] { return Run(); }});
}

void HttpServer::Add(int descriptor) {
  // Who has sent its request is answered, and leaves, before anybody is displaced.
  if (open_.size() >= most_connections_) MHD_run(daemon_);
  if (open_.size() >= most_connections_) {
    displaced_.fetch_add(1, std::memory_order_relaxed);
    CloseOldest();
  }
  open_.push_back({descriptor, Clock::now() + kLifetime});
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size);
  // It closes the descriptor whenever it fails.
  if (MHD_add_connection(daemon_, descriptor, reinterpret_cast<sockaddr*>(&peer), size) == MHD_YES)
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
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG library_ms = 0;
  const bool library_waits = MHD_get_timeout(daemon_, &library_ms) == MHD_YES;
  if (open_.empty() && !library_waits) return -1;
  auto wait_ms = static_cast<int64_t>(library_ms);
  if (!open_.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(open_.front().deadline - now);
    wait_ms = library_waits ? std::min<int64_t>(wait_ms, left.count()) : left.count();
  }
  return static_cast<int>(std::max<int64_t>(wait_ms, 0));
}

void HttpServer::CloseOldest() {
  const int descriptor = open_.front().descriptor;
  shutdown(descriptor, SHUT_RDWR);
  MHD_run(daemon_);  // meets the end of the stream, and closes it
  Forget(descriptor);
}

void HttpServer::Forget(int descriptor) {
  const auto found = std::find_if(
      open_.begin(), open_.end(),
      [descriptor](const Connection& connection) { return connection.descriptor == descriptor; });
  if (found != open_.end()) open_.erase(found);
}

}  // namespace ferrite
