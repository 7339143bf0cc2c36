#pragma once

// The Subscribe streams of one subscription, one after the other.
//
// 1. Start() adds the stream to those in flight on a completion thread, and an alarm moves all work
//    there.
// 2. Open(): a stream begins, to any node that can be reached, resuming after the last event that
//    arrived.
// 3. Messages are read, one Read at a time, and their events are passed to the receiver. While the
//    receiver has no room, nothing is pending, until ReadOn() or Cancel() sets the alarm.
// 4. The stream breaks. If a new one is worth a try (reconnection.h), the alarm measures the pause;
//    then 2.
// 5. Otherwise the receiver is told why it is over, and the stream leaves the thread.
//
// So between 1 and 5 one operation is pending, or the stream is paused. A second alarm, which
// exists as long as the subscription, fires when the stream may have been silent for too long, and
// checks.
//
// Cancel() and ReadOn() may be called by any thread; what they touch is guarded by the mutex.
// Everything else happens on the completion thread. The receiver is called without the mutex,
// except for HasRoom().

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/options.h"
#include "client/subscription/event_receiver.h"
#include "client/topology/node_directory.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"

namespace ferrite {

class SubscriptionStream final : public InFlight {
 public:
  // If `thread` is closing, the subscription is over at once.
  // `nodes` must outlive what is in flight on the thread.
  static std::shared_ptr<SubscriptionStream> Start(CompletionThread* thread, NodeDirectory* nodes,
                                                   const RetryPolicy& retry,
                                                   v1::SubscribeRequest request,
                                                   std::shared_ptr<EventReceiver> receiver);
  SubscriptionStream(const SubscriptionStream&) = delete;
  SubscriptionStream& operator=(const SubscriptionStream&) = delete;

  // The receiver has room again.
  void ReadOn();
  // Ends it on behalf of its owner.
  void CancelByOwner();
  // Ends it because the client is destroyed.
  void Cancel() override;
  // Waits until it is over.
  void AwaitEnd() const { over_.wait(false); }

  void Proceed(bool ok) override;

 private:
  using Clock = std::chrono::steady_clock;

  // What follows the pending operation, or the pause.
  enum class Step { kOpen, kStart, kRead, kReadOn, kFinish };

  class SilenceTag final : public CallTag {
   public:
    explicit SilenceTag(SubscriptionStream* stream) : stream_(*stream) {}
    void Proceed(bool) override { stream_.OnSilenceAlarm(); }

   private:
    SubscriptionStream& stream_;
  };

  SubscriptionStream(CompletionThread* thread, NodeDirectory* nodes, const RetryPolicy& retry,
                     v1::SubscribeRequest request, std::shared_ptr<EventReceiver> receiver);

  void Open();
  void Read();
  void HandOnEvents();
  // False if reading is to continue at once: the receiver has room, or the subscription was
  // cancelled.
  bool Pause();
  void Finish();
  void OnBroken();
  void End(absl::Status why);
  void Leave();

  void SetSilenceAlarm(Clock::time_point time);
  void OnSilenceAlarm();

  // Why the stream ended, in words for people.
  absl::Status WhyBroken() const;
  std::optional<std::string> Pushback();
  // Sets the alarm that leads to `step`. False when the subscription has been cancelled.
  bool SetAlarm(Step step, absl::Duration delay);
  void Cancel(absl::Status why);
  // Absent: not cancelled.
  std::optional<absl::Status> CancelledWith();

  CompletionThread& thread_;
  NodeDirectory& nodes_;
  const RetryPolicy retry_;
  const std::chrono::milliseconds longest_silence_;
  const std::shared_ptr<EventReceiver> receiver_;
  std::shared_ptr<SubscriptionStream> self_;  // while in flight

  // Used by the starting thread, then by the completion thread only.
  Step step_ = Step::kOpen;
  std::shared_ptr<RemoteNode> node_;  // of the current stream, or the last one
  v1::SubscribeRequest request_;      // with the token of the last event that arrived
  v1::SubscribeResponse message_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::SubscribeResponse>> reader_;
  grpc::Status status_;
  int failures_ = 0;
  std::optional<absl::Status> end_;

  SilenceTag silence_tag_{this};
  grpc::Alarm silence_alarm_;
  bool silence_alarm_set_ = false;
  Clock::time_point awaited_since_;  // since when an event, or the start, is pending
  bool silent_ = false;              // the stream was cancelled for being silent

  Mutex mutex_;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> cancelled_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);

  std::atomic<bool> over_{false};
};

}  // namespace ferrite
