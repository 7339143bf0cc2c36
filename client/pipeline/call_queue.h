#pragma once

// The calls that share one Pipeline stream, from their start to their end: which of them leave with
// the next frame, which have to wait, which are too late, and which are refused. It knows no gRPC,
// no thread and no clock: events go in, what is to be done comes out, and the time is an argument.
// PipelineStream drives it with a real stream.
//
// Frames. A frame leaves when it may: two may always be under way, so that one is served while the
// next one travels; more only if they are worth their cost. Until then calls queue, and the frame
// fills. While the reply of a frame is delivered, the next frame waits for the calls that the
// callbacks start, or for half as many as were answered.
//
// Streams. One opens when a call queues and there is none, and stays open. When it breaks, nobody
// knows what became of the frames without a reply: their calls come out of EndStream. Calls that
// have not been sent await the next stream, unless this one never opened. If the server said when
// to come again, the next stream does not open before.
//
// Overload. What is in a frame will be executed, whether or not somebody still waits for it; what
// queues costs the node nothing. So:
//   - a call that would be answered too late, as the queue stands, is refused: calls would
//     otherwise be sent in the order in which they came, when it is too late for each of them;
//   - frames under way hold what the node answers in a small part of a call's time; the rest
//   queues;
//   - a call that has queued for too long nevertheless, as the node became slower, is not sent.
// Nothing is refused on a guess: not while the stream is being opened, not while the node is silent
// (a pause is not slowness), not in a burst that one frame takes up. The server's gate has the same
// rule, from a quarter of a call's time on; here a refusal costs no byte on the wire. Sending the
// newest call first would need no forecast, but under overload nearly all calls would lie in the
// queue until their deadlines, which costs memory and tells their callers late, and the order of
// calls would depend on load.

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/links.h"
#include "client/pipeline/deadlines.h"
#include "client/pipeline/pending_call.h"
#include "client/pipeline/wait_forecast.h"

namespace ferrite {

// Not thread-safe. `now` is the time of the event, and may be a little before that of the one
// before it.
class CallQueue {
 public:
  using Duration = std::chrono::steady_clock::duration;
  using Time = std::chrono::steady_clock::time_point;
  using Frame = std::vector<PendingCall*>;
  static constexpr Time kNever = Time::max();

  // Why a call ends without an answer.
  enum class EndReason {
    kTooLate,       // its deadline has passed
    kHopeless,      // it would be answered after its deadline
    kCancelled,     // its caller wants so
    kClientIsGone,  // Close() was called
  };

  // No more than so many frames are under way, at least 1.
  explicit CallQueue(size_t max_frames_in_flight) : max_frames_in_flight_(max_frames_in_flight) {}
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // A call comes. If it is refused it does not belong to the queue.
  std::optional<EndReason> Add(PendingCall* call, Time now);
  // A call of a frame that was answered, or of a stream that broke, is to be sent again after
  // `delay`, which ends before its deadline. False if it has been cancelled or the queue is closed:
  // then it ends.
  bool AddAgain(PendingCall* call, Duration delay, Time now);
  // The caller of a call, which has not ended, no longer wants it: TakeDue has it soon, unless it
  // is being answered or has not been added yet.
  void Cancel(PendingCall* call);
  // Whether and why a call is not to be tried again, apart from what became of it.
  std::optional<EndReason> Withdrawn(const PendingCall& call) const;
  // So many calls that came have ended.
  void NoteEnded(size_t calls) { calls_ -= calls; }

  // What can be done now. Whoever has asked does it, and reports what came of it.
  struct Step {
    bool open = false;             // a stream; then OnOpened
    const Frame* write = nullptr;  // this frame; then OnWritten
  };
  Step NextStep(Time now);

  // What the stream that was opened does.
  void OnOpened(bool ok, Time now);
  void OnWritten(bool ok);
  // A reply has come: takes out the frame that it answers. Empty if it answers none. Until
  // OnDelivered, few frames leave. `last_is_unsent`: the frame that NextStep gave last has not been
  // handed to the stream yet, so that it cannot have been answered.
  Frame OnReply(bool last_is_unsent);
  // Replies can no longer be told apart: no frame is answered any more.
  void OnDistrusted();
  // No further reply comes.
  void OnBroken() { state_ = State::kEnding; }
  // It is over, with a status.
  void OnFinished() { finished_ = true; }
  // Whether it can go: it is over, and nobody writes to it.
  bool StreamHasEnded() const { return finished_ && !writing_; }

  // What is left of a stream.
  struct Remains {
    Frame sent;    // what became of them is not known
    Frame unsent;  // they cannot be sent
    Frame gone;    // have ended before; their objects are to be deleted
  };
  // The stream goes. `knows_frames`: whether the server knows Pipeline. The next stream opens after
  // `pause`.
  Remains EndStream(bool knows_frames, Duration pause, Time now);

  // The event before this one has been dealt with as a whole; its callbacks have returned.
  void OnDelivered() { cork_ = 0; }

  // When TakeDue and NextStep have to be called at the latest: not later than something is due, but
  // perhaps earlier. kNever: nothing waits for the clock alone.
  Time due() const { return due_; }
  struct DueCall {
    PendingCall* call;
    EndReason reason;
    bool is_in_frame;  // its object has to stay: OnReply or EndStream has it again
  };
  // Takes out the calls that end now, and lets others queue again.
  std::vector<DueCall> TakeDue(Time now);

  // No call is taken in any more; those that are there are due.
  void Close();
  // After Close(): whether every call has ended and no stream is left.
  bool IsOver() const { return closing_ && calls_ == 0 && state_ == State::kNone; }

 private:
  using Place = PendingCall::Place;

  enum class State {
    kNone,     // no stream
    kOpening,  // it is being opened
    kOpen,     // frames can be written
    kEnding,   // no more frames; its status is awaited
  };

  // Whether the calls before it take more than half of its time: it would take the node's time from
  // calls that can still make it, and most likely be late.
  bool IsHopeless(const PendingCall& call, Time now);
  // How many more calls may be under way, as the node goes. Some call is queued.
  size_t Room(Time now);
  bool MayWrite(Time now);
  const Frame* TakeFrame(Time now);
  void Enqueue(PendingCall* call);
  void Dequeue(PendingCall* call);
  PendingCall* front();
  void AddDeadline(PendingCall* call, Time time, Time now);
  // Takes a call that is not queued out, as its outcome is known.
  void TakeOut(PendingCall* call);

  const size_t max_frames_in_flight_;
  State state_ = State::kNone;
  Time opens_at_;  // when the next stream may open
  bool closing_ = false;
  bool came_about_ = false;
  bool writing_ = false;
  bool distrusted_ = false;
  bool finished_ = false;
  // While a reply is delivered: the calls that its callbacks start leave together, or, if the
  // server has nothing to do, as soon as there are so many. Otherwise 0.
  size_t cork_ = 0;
  size_t calls_ = 0;  // that have not ended
  Link queue_;
  size_t queued_ = 0;
  std::deque<Frame> unanswered_;
  size_t in_frames_ = 0;  // calls in unanswered_
  WaitForecast forecast_;
  Deadlines deadlines_;  // of every call that is queued, in a frame, or waits
  Time due_ = kNever;
};

}  // namespace ferrite
