#include "tests/server/system_faults.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>

namespace ferrite {
namespace {

constexpr int kNone = 0;
constexpr int kAFew = 3;

std::atomic<SystemCall> faulty_call;
std::atomic<int> faulty_error{kNone};
std::atomic<int> times{0};

// Whether the call is to fail now; sets errno if so.
bool Fails(SystemCall call) {
  const int error = faulty_error;
  if (error == kNone || faulty_call != call) return false;
  ++times;
  times.notify_all();
  errno = error;
  return true;
}

template <typename Function>
Function* TheRealOne(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void InjectFaults(const Fault& fault) {
  times = 0;
  faulty_call = fault.call;
  faulty_error = fault.error;
}

void StopFaults() { faulty_error = kNone; }

void AwaitFaults() {
  for (int seen = times; seen < kAFew; seen = times) times.wait(seen);
}

}  // namespace ferrite

using ferrite::Fails;
using ferrite::SystemCall;
using ferrite::TheRealOne;

extern "C" {

int poll(pollfd* descriptors, nfds_t count, int timeout_ms) {
  static auto* const real = TheRealOne<decltype(poll)>("poll");
  return Fails(SystemCall::kPoll) ? -1 : real(descriptors, count, timeout_ms);
}

int accept4(int socket, sockaddr* peer, socklen_t* size, int flags) {
  static auto* const real = TheRealOne<decltype(accept4)>("accept4");
  return Fails(SystemCall::kAccept) ? -1 : real(socket, peer, size, flags);
}

int socket(int family, int type, int protocol) noexcept {
  static auto* const real = TheRealOne<decltype(socket)>("socket");
  return family == AF_INET6 && Fails(SystemCall::kV6Socket) ? -1 : real(family, type, protocol);
}

int eventfd(unsigned count, int flags) noexcept {
  static auto* const real = TheRealOne<decltype(eventfd)>("eventfd");
  return Fails(SystemCall::kEventFd) ? -1 : real(count, flags);
}

int epoll_create1(int flags) noexcept {
  static auto* const real = TheRealOne<decltype(epoll_create1)>("epoll_create1");
  return Fails(SystemCall::kEpollSet) ? -1 : real(flags);
}

int epoll_ctl(int set, int change, int descriptor, epoll_event* event) noexcept {
  static auto* const real = TheRealOne<decltype(epoll_ctl)>("epoll_ctl");
  return Fails(SystemCall::kEpollWatch) ? -1 : real(set, change, descriptor, event);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  static auto* const real = TheRealOne<decltype(pthread_create)>("pthread_create");
  return Fails(SystemCall::kThread) ? errno : real(thread, attributes, run, argument);
}

}  // extern "C"
