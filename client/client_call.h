#pragma once

// One call of a client, from its start to its callback, with all of its tries.
//
// 1. Start() adds the call to those in flight on a completion thread. If the client is being
//    destroyed, the call delivers CANCELLED and deletes itself.
// 2. A try starts the RPC on the next connection to the node that the call's route leads to now, in
//    a new context with the call's deadline. From here on the call belongs to the completion
//    thread. If the node refuses much of its load, the try may be held back (client/acceptance.h).
// 3. Events of the RPC arrive through Proceed(), until the try has ended.
// 4. If the try failed and the call may be tried again (client/retry.h), an alarm on the same queue
//    measures the pause; then 2.
// 5. Otherwise Deliver() hands the outcome to the caller; the call leaves the list and deletes
//    itself.
//
// Cancel() may be called by the closing thread, and CancelByCaller() by any thread, at any time
// between 1 and 5. Either ends a running try or a pending alarm soon.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/call_terms.h"
#include "client/cancellation.h"
#include "client/completion_thread.h"
#include "client/options.h"
#include "client/remote_node.h"
#include "client/retry.h"
#include "client/topology/node_directory.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"

namespace ferrite {

class ClientCall : public InFlight, private Cancellation::Target {
 public:
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // The call owns itself from here on.
  void Start();

  void Cancel() final;

  void Proceed(bool ok) final;

 protected:
  ClientCall(CompletionThread* thread, CallTerms terms);
  ~ClientCall() override = default;

  // Starts one try of the RPC, with this call as the tag of its events. Must call HandOver() right
  // before the operation that leads to the first event, and must not touch the call after that
  // operation: the completion thread may have deleted it.
  virtual void StartTry(grpc::ClientContext* context, NodeConnection& connection,
                        grpc::CompletionQueue* queue) = 0;
  void HandOver() { thread_->HandOver(); }

  // Takes one event of the RPC. If it was the last of the try, returns the try's final status;
  // nothing may refer to the try's context any more, which is destroyed.
  virtual std::optional<grpc::Status> OnEvent(bool ok) = 0;

  // Hands the outcome to the caller. Called once.
  virtual void Deliver(absl::Status status) = 0;

  absl::Duration TimeLeft() const { return terms_.TimeLeft(); }
  absl::Duration timeout() const { return terms_.timeout; }

 private:
  bool IsWorthSending() const;
  // Tells what is known of the node, and the directory, how a try has ended.
  void NoteEnd(const grpc::Status& status, const absl::Status& outcome);
  void NoteLoad(const absl::Status& outcome);
  void Try();
  void EndTry(const grpc::Status& status);
  // How long to wait before the next try; absent: there is none. The outcome may say more then.
  std::optional<absl::Duration> DelayAfter(const grpc::Status& status,
                                           std::optional<std::string_view> pushback,
                                           absl::Status* outcome);
  std::optional<std::string> Pushback();
  // False when the call has been cancelled. Otherwise the call must not be touched any more, unless
  // by the completion thread.
  bool WaitForNextTry(absl::Duration delay);
  // Whether the event is the end of that pause, which it ends.
  bool EndWait();
  // Absent: not cancelled.
  std::optional<absl::Status> CancelledWith();
  void CancelByCaller() override;
  void Cancel(absl::Status status);
  void End(absl::Status status);

  CompletionThread* const thread_;
  CallTerms terms_;
  Placement place_;  // of the current try, or the last one
  std::chrono::steady_clock::time_point tried_at_;
  int attempts_ = 0;
  int uncounted_ = 0;          // see FailedAttempt
  absl::Status last_outcome_;  // of the try before, if its node was the right one

  // What Cancel() needs. Held briefly, never while gRPC starts an operation that may delete the
  // call, but for the alarm, which Cancel() must not meet half set: the event of the alarm takes
  // the mutex before anything else, so that whoever has set it is through.
  Mutex mutex_;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> cancelled_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
