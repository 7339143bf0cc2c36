#pragma once

// A call about one key that travels as an operation of a frame (see pipeline_stream.h).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "base/links.h"
#include "client/call_terms.h"
#include "client/cancellation.h"

namespace ferrite {

class CompletionThread;
class PipelineStream;

struct QueueLink : Link {};
struct DeadlineLink : Link {};

// Belongs to a PipelineStream from its start to its end.
class PendingCall : public QueueLink, public DeadlineLink, public Cancellation::Target {
 public:
  ~PendingCall() override = default;

  // The number of the operation's kind, in Operation as in OperationResult.
  int field() const { return field_; }
  size_t request_bytes() const { return request_bytes_; }
  const CallTerms& terms() const { return terms_; }
  // Whether it has ended, and only its place in a frame is left. For the completion thread.
  bool is_gone() const { return place_ == Place::kGone; }

  // Writes the request, request_bytes() long, and returns where it ends.
  virtual uint8_t* WriteRequest(uint8_t* to) const = 0;
  // Parses the response. False if it is malformed.
  virtual bool ParseResponse(std::string_view bytes) = 0;
  // Passes the outcome to the caller. Called once, unless SendAlone() is.
  virtual void Deliver(absl::Status status) = 0;
  // Sends the call as an RPC of its own, whose outcome goes to the caller.
  virtual void SendAlone(CompletionThread* thread) = 0;

 protected:
  PendingCall(int field, CallTerms terms) : field_(field), terms_(std::move(terms)) {}

  void set_request_bytes(size_t bytes) { request_bytes_ = bytes; }
  CallTerms TakeTerms() { return std::move(terms_); }

 private:
  friend class CallQueue;
  friend class Deadlines;
  friend class PipelineStream;

  enum class Place {
    kNew,
    kQueued,    // waits for a frame
    kInFrame,   // its frame waits for a reply
    kWaiting,   // waits to be tried again
    kTooLate,   // will not be sent any more; waits for its deadline
    kAnswered,  // its outcome is known
    kGone,      // has ended while its frame waits for a reply; only this object is left
  };

  void CancelByCaller() override;

  const int field_;
  size_t request_bytes_ = 0;
  CallTerms terms_;
  PipelineStream* stream_ = nullptr;

  // For CallQueue and Deadlines.
  Place place_ = Place::kNew;
  bool cancelled_ = false;
  bool leaves_ = false;  // when its pause is over
  int64_t due_tick_ = 0;

  // Used by the completion thread only. See FailedAttempt.
  int attempts_ = 0;
  int uncounted_ = 0;
};

}  // namespace ferrite
