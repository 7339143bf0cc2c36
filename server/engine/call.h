#pragma once

// The one life of every call, whatever its shape:
//
//   1. Begin: the call is there; of all but frames with its request. Its deadline and the gate
//      decide whether it is admitted.
//   2. A stream that has nothing to send at once opens: its client is told that it has begun.
//   3. A turn: the handler answers the request at once, or sets an Answer, which goes on (Advance)
//      until it has come to its end: yielding to other calls, waiting for its Waker, or sending
//      messages. A stream of frames takes a turn for each frame, one after the other: there is one
//      read and one write in flight at most, and one frame in hand, so a client that does not take
//      replies is not read from. But while a frame waits that says so (Answer::kWaitBeside), some
//      that come after it are taken up, too, as long as there is room for them. Their replies keep
//      the order. A frame that comes before the reply to the one before it is out must pass the
//      gate at once, as it takes memory from then on.
//   4. Finish, at most once: with the outcome of the turn; or because the deadline has passed while
//      the call waited, the server drains (of feeds and frames; others are refused from then on,
//      and end when the grace is over), or a frame is refused.
//   5. OnGone: the call is over on the wire, by its end or because the client is gone. In the
//      latter case the answer goes at once, and nothing more is sent.
//   6. Release: all of this is through, and nothing is in flight.
//
// The transport promises OnGone once for each call that begins, in any order with the other events.

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "base/links.h"
#include "server/admission/gate.h"
#include "server/call/call_times.h"
#include "server/engine/answer.h"
#include "server/engine/call_meter.h"
#include "server/engine/call_step.h"
#include "server/engine/departures.h"
#include "server/engine/rpc.h"
#include "server/engine/serving_thread.h"
#include "server/engine/timers.h"
#include "server/engine/transport.h"
#include "server/engine/waker.h"

namespace ferrite {

// Used only on its thread.
class Call final : public Link {
 public:
  // Of a stream, that have no reply yet. Beside the first of them, others may have so many bytes
  // (their requests, and replies that are there) when one more is taken up.
  static constexpr size_t kMostFrames = 16;
  static constexpr size_t kMostLaterBytes = size_t{1} << 20;

  // All must outlive the call.
  Call(Transport* transport, const Rpc* rpc, ServingThread* thread)
      : transport_(*transport), rpc_(*rpc), thread_(*thread), departure_(this) {}
  ~Call();

  // Events of the transport.
  void Begin();
  void OnOpened();
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished();
  void OnGone();

  // Of Departures: the message on its way waits for its client, or has done so for too long.
  void OnOvertaken() { passage_.Wait(); }
  void OnStalled();

  // Asks the answer, if the call waits for it.
  void Advance();
  // The thread drains: ends the call if it would not end by itself.
  void Drain();
  // The grace is over: ends the call if it waits for anything but its client.
  void EndWait();

  ServingThread* thread() const { return &thread_; }
  // Of whoever handles its requests, who may keep something there from one to the next.
  std::shared_ptr<void>& keepsake() { return keepsake_; }
  Waker waker() { return Waker(target()); }

 private:
  using Clock = CallStep::Clock;

  enum class State { kOpen, kFinishing, kFinished };

  void BeginFrames();
  // Takes the next step that a stream of frames can take.
  void AdvanceFrames();
  void TakeTurn();
  // Has the frame that has come pass the gate before its turn.
  void AdmitAhead();
  // A frame that was taken up after others that have no reply yet: its own waits for theirs.
  struct LaterFrame {
    size_t bytes = 0;  // of its request, and of its reply if that is there
    std::shared_ptr<const Request> request;
    Passage passage;
    CallTimes times;
    std::unique_ptr<Answer> answer;
  };
  bool MayTakeLaterFrame() const;
  void TakeLaterFrame();
  // The reply to the frame in hand is out, and there is one after it: takes that in hand.
  void TakeUpLaterFrame();
  // The request of the frame in hand.
  const Request& request() const { return request_ != nullptr ? *request_ : transport_.request(); }
  void ForgetRequest();
  // Reads the next frame, unless that is under way, has come, or never will.
  void ReadOn();
  // The same if it may be taken up beside the last one: not where it might have to be refused.
  void ReadBeside();
  absl::Status CheckDeadline() const;
  absl::Status CheckDrained() const;
  absl::Status Admit();
  // Asks the gate; if it refuses, with what is to be told in end_.
  absl::Status Pass(Passage* passage);
  // Has a reply that only tells what is there pass the gate, too.
  absl::Status AdmitReply();
  // Takes one of its connection's places for streams, if its caller may have any.
  absl::Status TakePlace();
  void EndOpening();
  void AddPushbackIfAny();
  // Has the stream open, unless it has.
  void Open();
  // Does as the handler or the answer said.
  void Proceed(Answer::Next next, const CallStep& step);
  void EndTurn(Clock::time_point now);
  void Send(Clock::time_point now);
  void Wait();
  void SetDeadlineTimer();
  // Drops what the call waits for.
  void StopWaiting();
  // Ends the call as end_ says, with the reply that was written if it is unary.
  void Finish() { Finish(Clock::now()); }
  void Finish(Clock::time_point now);
  // Counts the end, unless it was counted.
  void EndMeter(Clock::time_point now);
  void LogIfSlow(const CallTimes& times, uint64_t response_bytes, uint64_t keys);
  void ReleaseIfOver();
  // How the call ended, if its client has left it: well, if that is how such calls end.
  absl::Status EndByClient() const;
  const std::shared_ptr<WakeTarget>& target();
  void ForgetTarget();

  bool in_frames() const { return InFrames(rpc_.method); }

  Transport& transport_;
  const Rpc& rpc_;
  ServingThread& thread_;

  State state_ = State::kOpen;
  bool begun_ = false;
  bool gone_ = false;
  bool opened_ = false;   // or sent a message
  bool opening_ = false;  // and that is under way
  bool has_place_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool has_frame_ = false;  // that has not had its turn
  bool ended_ = false;      // there will be no more frames
  bool beside_ = false;     // the next frame may be taken up beside the last one
  bool broken_ = false;     // a reply to a frame could not be sent
  bool waiting_ = false;    // and counted as such
  bool deadline_passed_ = false;
  bool metered_ = false;  // the end was counted

  std::optional<CallMeter> meter_;  // once it has begun
  Passage passage_;                 // of the call, or of the frame whose reply is on its way
  InflightBudget::Share* share_ = nullptr;  // of its connection, once it was asked for
  // Of a frame that has come before its turn: how it ends if it was refused.
  Passage passage_ahead_;
  std::optional<CallEnd> ahead_;
  Departure departure_;
  std::shared_ptr<const Request> request_;  // of the frame in hand, once more are read
  std::unique_ptr<Answer> answer_;
  std::list<LaterFrame> later_frames_;
  size_t later_bytes_ = 0;
  std::shared_ptr<void> keepsake_;
  std::shared_ptr<WakeTarget> target_;  // once somebody wants it
  std::optional<Timer> deadline_timer_;
  Clock::time_point received_at_;  // when the request came, at the latest
  CallEnd end_;
  CallTimes times_;       // of all steps
  CallTimes turn_times_;  // of the steps of this turn
  int64_t mark_ = 0;      // of the Write or Finish in flight
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t keys_ = 0;
};

}  // namespace ferrite
