#pragma once

// Receives the connections for which there is no place (--max-connections), so that nobody is
// turned away without a word and probes still reach a full server. A client's call is refused with
// a status that says why; a probe's is answered (DoorPolicy).
//
// A flood cannot use this up. Guests are few and stay for a few seconds; one more displaces
// another, which is told why (GOAWAY, ENHANCE_YOUR_CALM). A call that has come is dealt with before
// that. Then who has been refused goes first, then who has said nothing worth an answer, and of
// those the oldest. So a flood can keep out a probe only if it fills all places between the probe's
// connection and its request. Those of this machine have places of their own, so that a flood from
// outside does not reach the health check of a container.

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "base/descriptor.h"
#include "server/net/door_guest.h"
#include "server/net/door_policy.h"

namespace ferrite {

// Not thread-safe: belongs to the thread of an accept loop.
class Doorman {
 public:
  static constexpr std::chrono::seconds kStay{5};

  // `on_refused` is called once for each connection that came for more than a probe.
  Doorman(DoorPolicy policy, std::function<void()> on_refused)
      : policy_(std::move(policy)), on_refused_(std::move(on_refused)) {}
  Doorman(const Doorman&) = delete;
  Doorman& operator=(const Doorman&) = delete;

  // Call it once, before anything else. Fails if there is no descriptor for it.
  absl::Status Open();
  // Readable when Run() has something to do.
  int descriptor() const { return epoll_.get(); }

  // Takes over the descriptor of a connection.
  void Receive(int descriptor);
  // Serves its guests; returns after how many milliseconds it has to run again, -1: there are none.
  int Run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    std::unique_ptr<DoorGuest> guest;
    Clock::time_point deadline;
    uint32_t watched = 0;  // the events that epoll is to tell
    bool counted = false;
  };
  // Oldest first.
  using Places = std::list<Place>;
  struct Whereabouts {
    Places* places;
    Places::iterator place;
  };

  // Serves those that have something to say, or to be told.
  void ServeReady();
  void Serve(int descriptor);
  // Has epoll tell what the guest waits for. False if it cannot.
  bool Watch(Place* place);
  // Makes room for one more.
  void Displace(Places* places);
  void Count(Place* place);
  // The guest leaves, and is told why if it has not been.
  void SeeOff(Places* places, Places::iterator place);
  void Remove(Places* places, Places::iterator place);

  const DoorPolicy policy_;
  const std::function<void()> on_refused_;
  Descriptor epoll_;
  Places local_;
  Places remote_;
  std::unordered_map<int, Whereabouts> by_descriptor_;
};

}  // namespace ferrite
