#pragma once

// The Subscribe streams of one subscription, one after the other.
//
// 1. Start() joins what is in flight on a completion thread, and an alarm moves everything there.
// 2. Open(): a stream begins, resuming after the last event that arrived.
// 3. Messages are read and their events handed to the receiver, one Read at a time. While the
//    receiver has no room, nothing is pending, until ReadOn() or Cancel() sets the alarm.
// 4. The stream breaks. If another is worth a try (reconnection.h), the alarm measures the pause;
//    then 2.
// 5. Otherwise the receiver learns why it is over, and the stream leaves the thread.
//
// So one operation is pending between 1 and 5, or the stream is paused. Beside it there is one more
// alarm, for as long as the subscription lives, which comes when the stream may have been silent
// for too long, and looks.
//
// Cancel() and ReadOn() may come from any thread; what they touch is guarded by the mutex.
// Everything else happens on the completion thread. The receiver is called without the mutex, but
// for HasRoom().

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/remote_node.h"
#include "client/options.h"
#include "client/subscription/event_receiver.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"

namespace ferrite {

class SubscriptionStream final : public InFlight {
 public:
  // If `thread` is closing, the subscription is over at once.
  static std::shared_ptr<SubscriptionStream> Start(CompletionThread* thread,
                                                   std::shared_ptr<RemoteNode> node,
                                                   const RetryPolicy& retry,
                                                   v1::SubscribeRequest request,
                                                   std::shared_ptr<EventReceiver> receiver);
  SubscriptionStream(const SubscriptionStream&) = delete;
  SubscriptionStream& operator=(const SubscriptionStream&) = delete;

  // The receiver has room again.
  void ReadOn();
  // Ends it because its owner wishes so.
  void CancelByOwner();
  // Because the client goes.
  void Cancel() override;
  // Waits until it is over.
  void AwaitEnd() const { over_.wait(false); }

  void Proceed(bool ok) override;

 private:
  using Clock = std::chrono::steady_clock;

  // What the pending operation, or the pause, leads to.
  enum class Step { kOpen, kStart, kRead, kReadOn, kFinish };

  class SilenceTag final : public CallTag {
   public:
    explicit SilenceTag(SubscriptionStream* stream) : stream_(*stream) {}
    void Proceed(bool) override { stream_.OnSilenceAlarm(); }

   private:
    SubscriptionStream& stream_;
  };

  SubscriptionStream(CompletionThread* thread, std::shared_ptr<RemoteNode> node, const RetryPolicy& retry,
                     v1::SubscribeRequest request, std::shared_ptr<EventReceiver> receiver);

  void Open();
  void Read();
  void HandOnEvents();
  // False when the stream is to be read on at once: the receiver has room, or it was cancelled.
  bool Pause();
  void Finish();
  void OnBroken();
  void End(absl::Status why);
  void Leave();

  void SetSilenceAlarm(Clock::time_point time);
  void OnSilenceAlarm();

  // What the stream ended with, in words for people.
  absl::Status WhyBroken() const;
  std::optional<std::string> Pushback();
  // Sets the alarm that leads to `step`. False when the subscription has been cancelled.
  bool SetAlarm(Step step, absl::Duration delay);
  void Cancel(absl::Status why);
  // Absent: not cancelled.
  std::optional<absl::Status> CancelledWith();

  CompletionThread& thread_;
  const std::shared_ptr<RemoteNode> node_;
  const RetryPolicy retry_;
  const std::chrono::milliseconds longest_silence_;
  const std::shared_ptr<EventReceiver> receiver_;
  std::shared_ptr<SubscriptionStream> self_;  // while in flight

  // Used by who starts it, then by the completion thread only.
  Step step_ = Step::kOpen;
  v1::SubscribeRequest request_;  // its token is that of the last event that arrived
  v1::SubscribeResponse message_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::SubscribeResponse>> reader_;
  grpc::Status status_;
  int failures_ = 0;
  std::optional<absl::Status> end_;

  SilenceTag silence_tag_{this};
  grpc::Alarm silence_alarm_;
  bool silence_alarm_set_ = false;
  Clock::time_point awaited_since_;  // the event, or the start, that is pending
  bool silent_ = false;              // the stream was cancelled for it

  Mutex mutex_;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> cancelled_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);

  std::atomic<bool> over_{false};
};

}  // namespace ferrite
