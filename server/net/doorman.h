#pragma once

// Receives the connections for which there is no place (--max-connections), so that nobody is
// turned away without a word and probes still reach a full server. A client's call is refused with
// a status that says why; a probe's is answered (DoorPolicy).
//
// A flood cannot use this up. Guests are few and stay for a few seconds; one more displaces the
// oldest, which is told why (GOAWAY, ENHANCE_YOUR_CALM). Those of this machine have places of their
// own, so that a flood from outside does not reach the health check of a container.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "server/net/door_guest.h"
#include "server/net/door_policy.h"

namespace ferrite {

// Not thread-safe: belongs to the thread of an accept loop.
class Doorman {
 public:
  static constexpr size_t kMaxLocalGuests = 16;
  static constexpr size_t kMaxRemoteGuests = 48;
  static constexpr std::chrono::seconds kStay{5};

  // `on_refused` is called once for each connection that came for more than a probe.
  Doorman(DoorPolicy policy, std::function<void()> on_refused)
      : policy_(std::move(policy)), on_refused_(std::move(on_refused)) {}
  ~Doorman();
  Doorman(const Doorman&) = delete;
  Doorman& operator=(const Doorman&) = delete;

  // Call it once, before anything else. Fails if there is no descriptor for it.
  absl::Status Open();
  // Readable when Run() has something to do.
  int descriptor() const { return epoll_; }

  // Takes over the descriptor of a connection.
  void Receive(int descriptor);
  // Serves its guests; returns after how many milliseconds it has to run again, -1: there are none.
  int Run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    std::unique_ptr<DoorGuest> guest;
    Clock::time_point deadline;
    bool counted = false;
  };
  // Oldest first.
  using Places = std::list<Place>;
  struct Whereabouts {
    Places* places;
    Places::iterator place;
  };

  void Serve(int descriptor);
  void Count(Place* place);
  // The guest leaves, and is told why if it has not been.
  void SeeOff(Places* places, Places::iterator place);
  void Remove(Places* places, Places::iterator place);

  const DoorPolicy policy_;
  const std::function<void()> on_refused_;
  int epoll_ = -1;
  Places local_;
  Places remote_;
  std::unordered_map<int, Whereabouts> by_descriptor_;
};

}  // namespace ferrite
