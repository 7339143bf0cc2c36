#include "server/net/accept_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error_text.h"

namespace ferrite {
namespace {

// Long enough not to spin, short enough not to be noticed.
constexpr std::chrono::milliseconds kPause(20);
constexpr int64_t kLogPauseNs = 10'000'000'000;

Descriptor OpenReserve() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Whether an error of accept() is about one connection, which is gone, so that the next may be
// there at once.
bool IsOfOneConnection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status AcceptLoop::Start(std::vector<int> sockets, Work work) {
  sockets_ = std::move(sockets);
  work_ = std::move(work);
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid())
    return absl::ResourceExhaustedError(absl::StrCat("cannot make an eventfd: ", ErrorText(errno)));
  reserve_ = OpenReserve();
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot start a thread: ", error.what()));
  }
  return absl::OkStatus();
}

void AcceptLoop::Stop() {
  if (thread_.joinable()) {
    stopping_ = true;
    const uint64_t one = 1;
    // It can only fail if it was written before.
    [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
    thread_.join();
  }
  wake_.Close();
  reserve_.Close();
}

void AcceptLoop::Run() {
  std::vector<pollfd> waiting;
  for (const int socket : sockets_) waiting.push_back({socket, POLLIN, 0});
  waiting.push_back({wake_.get(), POLLIN, 0});
  if (work_.watched >= 0) waiting.push_back({work_.watched, POLLIN, 0});
  while (!stopping_) {
    const int timeout_ms = work_.on_round == nullptr ? -1 : work_.on_round();
    const int ready = poll(waiting.data(), waiting.size(), timeout_ms);
    if (ready < 0 && errno != EINTR) BackOff("wait for connections", errno);
    if (ready <= 0) continue;
    for (size_t i = 0; i < sockets_.size(); ++i) {
      if (waiting[i].revents != 0) AcceptAll(sockets_[i]);
    }
  }
}

void AcceptLoop::AcceptAll(int listener) {
  // Others have their turn after so many.
  constexpr int kMostAtOnce = 64;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      work_.on_connection(listener, descriptor);
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) return;
    if (error == EMFILE || error == ENFILE) return AcceptAndClose(listener);
    failed_.fetch_add(1, std::memory_order_relaxed);
    if (IsOfOneConnection(error)) continue;
    return BackOff("accept a connection", error);
  }
}

void AcceptLoop::AcceptAndClose(int listener) {
  reserve_.Close();
  Descriptor accepted(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  const bool turned_away = accepted.valid();
  accepted.Close();
  if (turned_away) no_descriptor_.fetch_add(1, std::memory_order_relaxed);
  reserve_ = OpenReserve();
  // Not even that: connections wait in the kernel's queue.
  if (!turned_away || !reserve_.valid()) BackOff("accept a connection", EMFILE);
}

void AcceptLoop::BackOff(const char* what, int error) {
  const int64_t now = SteadyNs();
  if (!logged_ns_.has_value() || now - *logged_ns_ > kLogPauseNs) {
    logged_ns_ = now;
    spdlog::error("cannot {}: {}; trying again", what, ErrorText(error));
  }
  // Whatever is wrong with poll() need not be wrong with a second one, that of Stop() alone.
  pollfd stop{wake_.get(), POLLIN, 0};
  if (poll(&stop, 1, static_cast<int>(kPause.count())) < 0) std::this_thread::sleep_for(kPause);
}

}  // namespace ferrite
