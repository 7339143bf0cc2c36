#pragma once

// A connection for which there is no place, spoken to in HTTP/2 all the same: calls of probes are
// answered, and all others end with a status that says why, after which the client is asked to
// connect anew for the next one: there may be a place then. It takes little memory, whatever its
// peer does.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "server/net/door_policy.h"

struct nghttp2_session;

namespace ferrite {

// Not thread-safe.
class DoorGuest {
 public:
  // Takes over the descriptor. The policy must outlive the guest.
  DoorGuest(int descriptor, const DoorPolicy* policy);
  ~DoorGuest();
  DoorGuest(const DoorGuest&) = delete;
  DoorGuest& operator=(const DoorGuest&) = delete;

  int descriptor() const { return descriptor_.get(); }
  // Whether a call was answered; whether one was refused.
  bool answered() const { return answered_; }
  bool refused() const { return refused_; }
  // Whether it would read what comes: not while as much waits to be written as may. Whether
  // something does.
  bool wants_input() const;
  bool has_output() const;

  // Reads and writes what there is. False if the connection is over.
  bool Advance();
  // Tells the peer why, as far as that is possible at once. The connection is over.
  void Dismiss();

 private:
  static constexpr size_t kMaxOutputBytes = size_t{64} << 10;

  struct Callbacks;  // what nghttp2 calls
  struct Call {
    std::string path;
    std::string body;
    std::string reply;  // what is still to be sent of it
  };

  bool Read();
  bool Write();
  void Begin(int32_t stream);
  void End(int32_t stream);
  void Reply(int32_t stream, const std::string& message);
  void Refuse(int32_t stream, const absl::Status& status);

  const Descriptor descriptor_;
  const std::unique_ptr<GuestWire> wire_;
  const DoorPolicy& policy_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Call> calls_;
  std::string output_;
  bool answered_ = false;
  bool refused_ = false;
  bool told_to_leave_ = false;  // the client is to connect anew for its next call
};

}  // namespace ferrite
