#pragma once

// Where the calls of a stream go on, if they do not end there, and what they have learnt of nodes.

#include <memory>

#include "client/pipeline/pending_call.h"
#include "client/slot_error.h"

namespace ferrite {

class RemoteNode;

// Thread-safe.
class CallRouter {
 public:
  virtual ~CallRouter() = default;

  // Whether there is more than one node that a call could be sent to.
  virtual bool HasChoice() const = 0;
  // The epoch of the map that calls are routed by; 0: none is known.
  virtual int64_t KnownEpoch() const = 0;
  // Starts a call that has left its stream, at the node that it belongs to now.
  virtual void Resend(std::unique_ptr<PendingCall> call) = 0;

  // A node has said that a slot is another's.
  virtual void NoteMoved(const SlotError& moved) = 0;
  // No connection to a node came about.
  virtual void NoteUnreachable(RemoteNode& node) = 0;
  // A node has stopped answering (client/silence.h).
  virtual void NoteSilent(const RemoteNode& node) = 0;
  // A node has said that it may not serve (LEASE_LOST): it does not hear of a new map either.
  virtual void NoteCutOff(const RemoteNode& node) = 0;
};

}  // namespace ferrite
