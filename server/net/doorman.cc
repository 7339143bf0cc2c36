#include "server/net/doorman.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "server/net/tcp_targets.h"

namespace ferrite {
namespace {

// Whether the peer is on this machine.
bool IsLocal(int descriptor) {
  TcpTarget peer;
  peer.size = sizeof(peer.storage);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size) != 0)
    return false;
  return peer.family() == AF_UNIX || peer.IsLoopback();
}

}  // namespace

absl::Status Doorman::Open() {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.valid()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("cannot make an epoll set: ", ErrorText(errno)));
}

void Doorman::Receive(int descriptor) {
  const bool local = IsLocal(descriptor);
  Places& places = local ? local_ : remote_;
  const size_t most = local ? policy_.local_guests : policy_.remote_guests;
  if (places.size() >= most) ServeReady();
  if (places.size() >= most) Displace(&places);
  places.push_back({std::make_unique<DoorGuest>(descriptor, &policy_), Clock::now() + kStay});
  const auto place = std::prev(places.end());
  by_descriptor_[descriptor] = {&places, place};
  if (!Watch(&*place)) return SeeOff(&places, place);
  Serve(descriptor);  // sends the settings that clients wait for
}

void Doorman::Displace(Places* places) {
  const auto rank = [](const Place& place) {
    if (place.guest->refused()) return 0;
    return place.guest->answered() ? 2 : 1;
  };
  // The oldest of those that matter least.
  SeeOff(places,
         std::min_element(places->begin(), places->end(),
                          [&](const Place& a, const Place& b) { return rank(a) < rank(b); }));
}

int Doorman::Run() {
  if (by_descriptor_.empty()) return -1;
  ServeReady();
  const auto now = Clock::now();
  auto next = Clock::time_point::max();
  for (Places* places : {&local_, &remote_}) {
    while (!places->empty() && places->front().deadline <= now) SeeOff(places, places->begin());
    if (!places->empty()) next = std::min(next, places->front().deadline);
  }
  if (next == Clock::time_point::max()) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
}

void Doorman::ServeReady() {
  std::array<epoll_event, 64> events;
  const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) Serve(events[static_cast<size_t>(i)].data.fd);
}

void Doorman::Serve(int descriptor) {
  const auto found = by_descriptor_.find(descriptor);
  if (found == by_descriptor_.end()) return;
  const auto [places, place] = found->second;
  const bool stays = place->guest->Advance();
  if (place->guest->refused()) Count(&*place);
  if (!stays || !Watch(&*place)) Remove(places, place);
}

bool Doorman::Watch(Place* place) {
  const DoorGuest& guest = *place->guest;
  epoll_event event{};
  if (guest.wants_input()) event.events |= EPOLLIN;
  if (guest.has_output()) event.events |= EPOLLOUT;
  if (event.events == place->watched) return true;
  event.data.fd = guest.descriptor();
  const int change = place->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  place->watched = event.events;
  return epoll_ctl(epoll_.get(), change, guest.descriptor(), &event) == 0;
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
