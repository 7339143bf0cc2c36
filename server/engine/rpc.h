#pragma once

// What an RPC is to the engine: a method, the shape of its calls, and the handler of each request.

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "server/call/caller.h"
#include "server/call/method.h"
#include "server/call/reply_writer.h"
#include "server/call/request.h"
#include "server/engine/answer.h"
#include "server/engine/waker.h"

namespace ferrite {

// One request of a call, for its handler to answer: by writing the reply, or later.
class Turn {
 public:
  using Clock = std::chrono::steady_clock;

  // `call` may be null where neither thread_index() nor waker() is used.
  Turn(const Request& request, Clock::time_point received, const Caller& caller, ReplyWriter* reply,
       Call* call)
      : request_(request),
        received_(received),
        caller_(caller),
        reply_(*reply),
        call_(call),
        scope_(&caller) {}
  // A part of what `whole` asks for, whose request and reply lie elsewhere.
  Turn(const Turn& whole, const Request& request, ReplyWriter* reply)
      : Turn(request, whole.received_, whole.caller_, reply, whole.call_) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Stays where it is until the request has been answered; of a feed, until the handler returns.
  const Request& request() const { return request_; }
  // When it came, or earlier: what it may have waited for its thread counts.
  Clock::time_point received() const { return received_; }
  const Caller& caller() const { return caller_; }
  // The thread that serves the call, counted from 0.
  size_t thread_index() const;

  // Write the reply here if it is there at once.
  ReplyWriter* reply() { return &reply_; }
  // If it is not: sets what will answer, and leaves the reply empty.
  void Later(std::unique_ptr<Answer> answer) { answer_ = std::move(answer); }
  // Wakes the answer of this turn.
  Waker waker() const;

  // For the engine, and for handlers around others.
  std::unique_ptr<Answer> TakeAnswer() { return std::move(answer_); }
  Call* call() const { return call_; }

 private:
  const Request& request_;
  const Clock::time_point received_;
  const Caller& caller_;
  ReplyWriter& reply_;
  Call* const call_;
  std::unique_ptr<Answer> answer_;
  const CallerScope scope_;
};

// Answers a request; anything but OK refuses it, and ends the call. Runs on a serving thread.
using Handler = std::function<absl::Status(Turn*)>;

// How messages travel, and when a call ends.
enum class Shape {
  kUnary,   // one request, one reply
  kStream,  // one request, messages until they have come to their end
  kFeed,    // one request, messages for as long as the client likes
  kFrames,  // a stream of requests, each with one reply, for as long as the client likes
};

struct Rpc {
  Method method;
  Shape shape;
  Handler handler;
  // Whether a caller may have a stream at all, which is asked before that takes a place; absent:
  // all may.
  std::function<absl::Status(const Caller& caller)> may_come = nullptr;
};

}  // namespace ferrite
