#include "server/tls/handshakes.h"

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

#include "server/guard/peer_text.h"

namespace ferrite {
namespace {

constexpr std::chrono::seconds kLogPause(1);
// gRPC's clock may be a little ahead.
constexpr std::chrono::milliseconds kClockSlack(500);
constexpr int kNobody = -1;

constinit thread_local int client = kNobody;
constinit thread_local bool counts = false;

uint64_t InodeOf(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

// Whether the client has sent all that the server has asked of it, so that it is the server's turn.
bool HasInput(int descriptor) {
  int bytes = 0;
  return ioctl(descriptor, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

Handshakes::Handoff::Handoff(Handshakes* handshakes, int descriptor) {
  if (handshakes != nullptr) handshakes->MakeRoom();
  client = descriptor;
  counts = handshakes != nullptr;
}

Handshakes::Handoff::~Handoff() { client = kNobody; }

int Handshakes::Handoff::descriptor() { return client; }

void Handshakes::Made(const SSL* tls) {
  if (client == kNobody || !counts) return;
  Handshake made{tls, client, InodeOf(client), PeerText(client), Clock::now()};
  MutexLock lock(&mutex_);
  by_tls_[tls] = in_order_.insert(in_order_.end(), std::move(made));
}

void Handshakes::Stepped(const SSL* tls, int result) {
  const bool failed = result <= 0 && SSL_get_error(tls, result) == SSL_ERROR_SSL;
  if (result != 1 && !failed) return;
  MutexLock lock(&mutex_);
  const auto found = by_tls_.find(tls);
  if (found == by_tls_.end()) return;
  if (failed) return Fail(found->second, FaultOfFailed(tls), FaultText(tls));
  done_.fetch_add(1, std::memory_order_relaxed);
  Remove(found->second);
}

void Handshakes::Gone(const SSL* tls) {
  MutexLock lock(&mutex_);
  const auto found = by_tls_.find(tls);
  if (found == by_tls_.end()) return;
  if (Clock::now() - found->second->begun >= kLongest - kClockSlack) {
    Fail(found->second, HandshakeFault::kTimeout, "it took longer than 10 s");
  } else {
    Fail(found->second, HandshakeFault::kLeft, "the client closed the connection");
  }
}

void Handshakes::MakeRoom() {
  // So that a crowd that waits for the server does not hold up who accepts.
  constexpr int kMostLooks = 64;
  MutexLock lock(&mutex_);
  const Clock::time_point latest = Clock::now() - kPatience;
  auto next = in_order_.begin();
  for (int look = 0; look < kMostLooks && in_order_.size() >= limit_ && next != in_order_.end();
       ++look) {
    const auto handshake = next++;
    if (handshake->begun > latest) return;
    const int descriptor = handshake->descriptor;
    if (HasInput(descriptor)) continue;
    const bool is_same = InodeOf(descriptor) == handshake->inode;
    Fail(handshake, HandshakeFault::kDisplaced,
         "there are as many as there may be (--max-handshakes), and it was waiting for its client");
    if (is_same) shutdown(descriptor, SHUT_RDWR);
  }
}

void Handshakes::Fail(InOrder::iterator handshake, HandshakeFault fault, const std::string& why) {
  failed_[static_cast<size_t>(fault)].fetch_add(1, std::memory_order_relaxed);
  ++unlogged_;
  const Clock::time_point now = Clock::now();
  if (now >= next_log_) {
    next_log_ = now + kLogPause;
    spdlog::warn("TLS: the handshake with {} failed: {} (handshakes failed: {})", handshake->peer,
                 why, std::exchange(unlogged_, 0));
  }
  Remove(handshake);
}

void Handshakes::Remove(InOrder::iterator handshake) {
  by_tls_.erase(handshake->tls);
  in_order_.erase(handshake);
}

size_t Handshakes::in_progress() const {
  MutexLock lock(&mutex_);
  return in_order_.size();
}

}  // namespace ferrite
