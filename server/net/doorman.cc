#include "server/net/doorman.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

// Whether the peer is on this machine.
bool IsLocal(int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (peer.ss_family == AF_UNIX) return true;
  const auto in_loopback = [](uint32_t address) { return address >> 24 == IN_LOOPBACKNET; };
  if (peer.ss_family == AF_INET)
    return in_loopback(ntohl(reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr.s_addr));
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) ||
         (IN6_IS_ADDR_V4MAPPED(&v6) && in_loopback(ntohl(v6.s6_addr32[3])));
}

}  // namespace

Doorman::~Doorman() {
  if (epoll_ >= 0) close(epoll_);
}

absl::Status Doorman::Open() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ >= 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot make an epoll set: ", std::generic_category().message(errno)));
}

void Doorman::Receive(int descriptor) {
  const bool local = IsLocal(descriptor);
  Places& places = local ? local_ : remote_;
  if (places.size() >= (local ? kMaxLocalGuests : kMaxRemoteGuests))
    SeeOff(&places, places.begin());
  places.push_back(
      {std::make_unique<DoorGuest>(descriptor, &policy_), Clock::now() + kStay, false});
  by_descriptor_[descriptor] = {&places, std::prev(places.end())};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)
    return SeeOff(&places, std::prev(places.end()));
  Serve(descriptor);  // sends the settings that clients wait for
}

int Doorman::Run() {
  if (by_descriptor_.empty()) return -1;
  std::array<epoll_event, kMaxLocalGuests + kMaxRemoteGuests> events;
  const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) Serve(events[static_cast<size_t>(i)].data.fd);
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (Places* places : {&local_, &remote_}) {
    while (!places->empty() && places->front().deadline <= now) SeeOff(places, places->begin());
    if (!places->empty()) next = std::min(next, places->front().deadline);
  }
  if (next == Clock::time_point::max()) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
}

void Doorman::Serve(int descriptor) {
  const auto found = by_descriptor_.find(descriptor);
  if (found == by_descriptor_.end()) return;
  const auto [places, place] = found->second;
  DoorGuest& guest = *place->guest;
  const bool had_output = guest.has_output();
  const bool stays = guest.Advance();
  if (guest.refused()) Count(&*place);
  if (!stays) return Remove(places, place);
  if (guest.has_output() == had_output) return;
  epoll_event event{};
  event.events = guest.has_output() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = descriptor;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Doorman::Count(Place* place) {
  if (std::exchange(place->counted, true)) return;
  on_refused_();
}

void Doorman::SeeOff(Places* places, Places::iterator place) {
  place->guest->Dismiss();
  Remove(places, place);
}

void Doorman::Remove(Places* places, Places::iterator place) {
  if (!place->guest->answered()) Count(&*place);
  by_descriptor_.erase(place->guest->descriptor());
  places->erase(place);
}

}  // namespace ferrite
