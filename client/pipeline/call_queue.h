#pragma once

// The calls that share one Pipeline stream: which of them leave with the next frame, wait, expire,
// or are refused. A CallQueue knows no gRPC, no thread and no clock: events go in, actions come
// out, and the time is an argument. PipelineStream drives it with a real stream.
//
// Frames. Two frames may always be under way, so that the server works on one while the next one
// travels; further ones have to be worth their cost. Until a frame may leave, calls queue and it
// fills. While a reply is delivered, the next frame waits for the calls that the callbacks start,
// or for half as many as were answered if the server is idle.
//
// Streams. A stream opens when a call queues and there is none, and stays open. When it breaks, it
// is not known what became of the frames without a reply: EndStream returns their calls. Calls that
// have not been sent await the next stream, unless this one never opened. If the server said when
// to come again, the next stream does not open earlier.
//
// Overload. What is in a frame is executed whether or not somebody still waits for it, while what
// queues costs the node nothing. So:
//   - A call that would be answered too late behind the calls that queue already is refused.
//     Otherwise calls would be sent in the order in which they came, each of them too late.
//   - Frames under way hold no more than the node answers in a small part of a call's time.
//   - A call that queued for too long nevertheless, as the node became slower, is not sent.
// Nothing is refused on a guess: not while the stream is being opened, not while the node is silent
// (a pause is not slowness), not in a burst that fits into one frame. The server's gate has the
// same rule, from a quarter of a call's time on; here a refusal costs no byte on the wire. Sending
// the newest call first would need no forecast, but under overload nearly all calls would stay in
// the queue until their deadlines, which costs memory and informs their callers late, and the order
// of calls would depend on load.

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

// Not thread-safe. `now` is the time of the event; it may be slightly earlier than that of the
// previous event.
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
    kCancelled,     // its caller cancelled it
    kClientIsGone,  // Close() was called
    kLeaves,        // it does not end, but is to be tried elsewhere
  };

  // At most `max_frames_in_flight` frames, at least 1, await their replies.
  explicit CallQueue(size_t max_frames_in_flight) : max_frames_in_flight_(max_frames_in_flight) {}
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // A call comes. If it is refused, the queue does not keep it.
  std::optional<EndReason> Add(PendingCall* call, Time now);
  // A call of a frame that was answered, or of a stream that broke, is to be sent again after
  // `delay`, which ends before the call's deadline: here or, if it `leaves`, elsewhere; then
  // TakeDue returns it. False if the call was cancelled or the queue is closed: then the call ends.
  bool AddAgain(PendingCall* call, Duration delay, bool leaves, Time now);
  // The caller cancels a call that has not ended. The next TakeDue returns it, unless it is being
  // answered or has not been added yet.
  void Cancel(PendingCall* call);
  // Whether the call was cancelled or the queue is closed, so that the call must not be tried
  // again.
  std::optional<EndReason> Withdrawn(const PendingCall& call) const;
  // So many of the calls that were added have ended.
  void NoteEnded(size_t calls) { calls_ -= calls; }

  // What can be done now. The thread that asked does it and reports the result.
  struct Step {
    bool open = false;             // a stream; then OnOpened
    const Frame* write = nullptr;  // this frame; then OnWritten
  };
  Step NextStep(Time now);

  // Events of the stream that was opened.
  void OnOpened(bool ok, Time now);
  void OnWritten(bool ok);
  // A reply has come. Removes and returns the frame that it answers; empty if there is none. Until
  // OnDelivered frames leave only as described above. `last_is_unsent`: the last frame of NextStep
  // has not been passed to the stream yet, so the reply cannot be its answer.
  Frame OnReply(bool last_is_unsent);
  // Replies can no longer be matched to frames: no frame is answered any more.
  void OnDistrusted();
  // No further reply comes.
  void OnBroken() { state_ = State::kEnding; }
  // The stream's status has arrived.
  void OnFinished() { finished_ = true; }
  // Whether it can be destroyed: its status has arrived, and nobody writes to it.
  bool StreamHasEnded() const { return finished_ && !writing_; }

  // The calls that a stream leaves behind.
  struct Remains {
    Frame sent;    // what became of them is not known
    Frame unsent;  // they cannot be sent
    Frame gone;    // ended earlier; only their objects are left, to be deleted
  };
  // The stream is destroyed. `knows_frames`: whether the server knows Pipeline. The next stream
  // opens after `pause`.
  Remains EndStream(bool knows_frames, Duration pause, Time now);

  // The last event has been handled completely; its callbacks have returned.
  void OnDelivered() { cork_ = 0; }

  // When TakeDue and NextStep must be called at the latest; perhaps earlier than something is due.
  // kNever: nothing waits for the clock.
  Time due() const { return due_; }
  // Since when there have always been frames under way; absent: there are none.
  std::optional<Time> awaited_since() const {
    return unanswered_.empty() ? std::nullopt : std::optional(awaited_since_);
  }
  struct DueCall {
    PendingCall* call;
    EndReason reason;
    bool is_in_frame;  // its object must stay: OnReply or EndStream returns it again
  };
  // Removes and returns the calls that end now; queues calls whose pause is over.
  std::vector<DueCall> TakeDue(Time now);

  // Refuses further calls; those that the queue holds are due.
  void Close();
  // No more frames leave. Calls that have not been sent leave at once, others when they would be
  // tried again. Nothing must be added any more.
  void Retire(Time now);
  bool is_retired() const { return retired_; }
  // Whether a retired queue has waited for answers for long enough: end the stream.
  bool IsOverdue(Time now) const { return retired_ && now >= ends_at_ && !unanswered_.empty(); }
  // After Retire(): whether a stream is left that no call needs.
  bool IsIdle() const { return retired_ && calls_ == 0 && state_ != State::kNone; }
  // After Close() or Retire(): whether every call has ended or left, and no stream is left.
  bool IsOver() const { return (closing_ || retired_) && calls_ == 0 && state_ == State::kNone; }

 private:
  using Place = PendingCall::Place;

  enum class State {
    kNone,     // no stream
    kOpening,  // it is being opened
    kOpen,     // frames can be written
    kEnding,   // no more frames; its status is awaited
  };

  // Whether the calls before it take more than half of its time. It would most likely be late, and
  // take the node's time from calls that can still be in time.
  bool IsHopeless(const PendingCall& call, Time now);
  // How many more calls may be under way at the node's present rate. Some call must be queued.
  size_t Room(Time now);
  bool MayWrite(Time now);
  const Frame* TakeFrame(Time now);
  void Enqueue(PendingCall* call);
  void Dequeue(PendingCall* call);
  PendingCall* front();
  void AddDeadline(PendingCall* call, Time time, Time now);
  // Removes a call that is not queued, as its outcome is known.
  void TakeOut(PendingCall* call);

  const size_t max_frames_in_flight_;
  State state_ = State::kNone;
  Time opens_at_;  // when the next stream may open
  bool closing_ = false;
  bool retired_ = false;
  Time ends_at_ = kNever;  // once it is retired
  bool came_about_ = false;
  bool writing_ = false;
  bool distrusted_ = false;
  bool finished_ = false;
  // While a reply is delivered, how many calls make a frame leave if the server has nothing to do.
  // Otherwise 0.
  size_t cork_ = 0;
  size_t calls_ = 0;  // that have not ended
  Link queue_;
  size_t queued_ = 0;
  std::deque<Frame> unanswered_;
  size_t in_frames_ = 0;  // calls in unanswered_
  Time awaited_since_;
  WaitForecast forecast_;
  Deadlines deadlines_;  // of every call that is queued, in a frame, or waits
  Time due_ = kNever;
};

}  // namespace ferrite
