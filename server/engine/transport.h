#pragma once

// The edge of the engine: how a call's bytes come and go. A front, today gRPC's server, implements
// it; nothing above knows which.

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "server/call/caller.h"
#include "server/call/reply_writer.h"
#include "server/call/request.h"
#include "server/engine/answer.h"

namespace ferrite {

// One call as its front sees it. Each operation ends with an event, on the call's thread and never
// within the operation, that the front passes on: Call::OnOpened, OnRead, OnWritten, OnFinished.
// When the call is over on the wire, whether by its end or because the client is gone, comes
// OnGone, in any order with the others.
class Transport : public Caller {
 public:
  virtual ~Transport() = default;

  // The request that was received last.
  virtual const Request& request() const = 0;
  // Why that request cannot be taken as it came, such as its size; OK if it can.
  virtual absl::Status CheckMessage() const = 0;
  // It is no longer needed: lets go of its memory.
  virtual void ForgetRequest() = 0;
  // The same, but it stays in place for as long as somebody has it.
  virtual std::shared_ptr<const Request> TakeRequest() = 0;

  // Tells the client of a stream that it has begun, before there is anything to send. Ends with
  // Call::OnOpened. Once, if at all, and before the first StartWrite.
  virtual void StartOpening() = 0;
  // Reads the next request; for Shape::kFrames. One at a time.
  virtual void StartRead() = 0;
  // Sends a message, which is taken out of the writer. One at a time; not for Shape::kUnary.
  virtual void StartWrite(ReplyWriter* message) = 0;
  // Ends the call; with the message in the writer if it is unary and ended well. Once.
  virtual void StartFinish(const CallEnd& end, ReplyWriter* message) = 0;

  // Ends the call at once, whatever it is at: what is in flight fails, and OnGone comes.
  virtual void Cancel() = 0;

  // The call no longer keeps its thread from taking up another. Once, and not after the thread was
  // closed.
  virtual void TakeNext() = 0;
  // Nothing is in flight and nobody will use the call any more.
  virtual void Release() = 0;
};

}  // namespace ferrite
