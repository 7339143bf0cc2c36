#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/net/connection_limit.h"
#include "server/net/guest_wire.h"

namespace ferrite {

// What connections are told for which there is no place.
struct DoorPolicy {
  // From the bytes of a request to those of the reply.
  using Answer = std::function<absl::StatusOr<std::string>(std::string_view request)>;

  // Unary calls that are answered all the same, by their paths: those of probes.
  std::map<std::string, Answer, std::less<>> answers;
  // What every other call ends with, RESOURCE_EXHAUSTED, and when its client is to come again.
  absl::Status refusal;
  std::function<std::chrono::milliseconds()> pushback;
  // Told of each call that is not answered, and why. Called on the thread of the accept loop.
  std::function<void(const absl::Status&)> on_refusal = [](const absl::Status&) {};
  // How a new guest is spoken to.
  std::function<std::unique_ptr<GuestWire>(int descriptor)> wire = [](int descriptor) {
    return std::make_unique<PlainGuestWire>(descriptor);
  };
  // Connections at a time, of this machine and of others.
  size_t local_guests = KeptPlaces{}.local_guests;
  size_t remote_guests = KeptPlaces{}.remote_guests;
};

}  // namespace ferrite
