#include "server/frame_hook.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "server/settings/memory_plan.h"

#ifdef FERRITE_SANITIZED

namespace ferrite {

FrameGuard* HookFrames(const Settings&) {
  spdlog::warn("frames are not counted: a sanitizer has recvmsg() to itself");
  return nullptr;
}

}  // namespace ferrite

#else
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "server/shortened_message.h"
#include "server/tls_hook.h"

namespace ferrite {
namespace {

constinit std::atomic<FrameGuard*> frame_guard = nullptr;

template <typename Function>
Function* TheRealOne(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

FrameGuard* HookFrames(const Settings& settings) {
  if (settings.frame_guard == "off") {
    spdlog::warn("frames are not counted (--frame-guard=off): clients can take any memory");
    return nullptr;
  }
  auto* const guard = new FrameGuard(LimitsOfFrames(settings));
  frame_guard.store(guard, std::memory_order_release);
  return guard;
}

}  // namespace ferrite

extern "C" {

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  static auto* const real = ferrite::TheRealOne<decltype(recvmsg)>("recvmsg");
  ferrite::FrameGuard* const guard = ferrite::frame_guard.load(std::memory_order_acquire);
  // What is read with flags is no part of the stream: errors, or a look ahead.
  if (guard == nullptr || flags != 0) return real(descriptor, message, flags);
  const size_t allowance = guard->Allowance(descriptor);
  if (allowance == 0) {
    errno = EAGAIN;
    return -1;
  }
  ssize_t size = 0;
  {
    const ferrite::ShortenedMessage shortened(message, allowance);
    size = real(descriptor, message, flags);
  }
  if (size <= 0 || guard->Admit(descriptor, message->msg_iov, static_cast<size_t>(size)))
    return size;
  return 0;  // the end of the stream
}

// What is read over TLS is decrypted by it; gRPC takes any error for the end of the connection.
int SSL_read(SSL* tls, void* buffer, int most) {
  static auto* const real = ferrite::TheRealOne<decltype(SSL_read)>("SSL_read");
  ferrite::FrameGuard* const guard = ferrite::frame_guard.load(std::memory_order_acquire);
  if (guard == nullptr) return real(tls, buffer, most);
  const int client = ferrite::ClientOf(tls);
  guard->Decrypt(client);
  const int size = real(tls, buffer, most);
  const bool is_admitted = size <= 0 || guard->AdmitDecrypted(client, static_cast<char*>(buffer),
                                                              static_cast<size_t>(size));
  return is_admitted ? size : -1;
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  static auto* const real = ferrite::TheRealOne<decltype(sendmsg)>("sendmsg");
  const ssize_t size = real(descriptor, message, flags);
  const int error = errno;
  if (ferrite::FrameGuard* const guard = ferrite::frame_guard.load(std::memory_order_acquire);
      guard != nullptr) {
    if (size < 0 && error == EAGAIN) {
      guard->Blocked(descriptor);
    } else {
      guard->Wrote(descriptor, size < 0 || static_cast<size_t>(size) == ferrite::BytesOf(*message));
    }
    errno = error;
  }
  return size;
}

int epoll_ctl(int set, int operation, int descriptor, epoll_event* event) {
  static auto* const real = ferrite::TheRealOne<decltype(epoll_ctl)>("epoll_ctl");
  if (ferrite::FrameGuard* const guard = ferrite::frame_guard.load(std::memory_order_acquire);
      guard != nullptr && operation == EPOLL_CTL_ADD) {
    guard->Polled(descriptor, set, *event);
  }
  return real(set, operation, descriptor, event);
}

int close(int descriptor) {
  static auto* const real = ferrite::TheRealOne<decltype(close)>("close");
  if (ferrite::FrameGuard* const guard = ferrite::frame_guard.load(std::memory_order_acquire);
      guard != nullptr) {
    guard->Forget(descriptor);
  }
  return real(descriptor);
}

}  // extern "C"
#endif
