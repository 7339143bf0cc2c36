#pragma once

// Follows the changes of the cluster: one WatchTopology stream after the other, each to a node that
// can be reached.
//
// 1. Start() adds the watch to what is in flight on a completion thread, and an alarm moves all
// work
//    there.
// 2. Open(): a stream begins. Each message goes to the NodeDirectory.
// 3. The stream breaks, or is left: the alarm measures a pause, then the next node is asked.
// 4. If the node is part of no cluster, or older than clusters, the stream is given up, and a
// minute
//    later the node is asked again: it may have been replaced.
//
// So one operation is pending, until the client ends. MoveOn, MoveOnFrom and Cancel may be called
// by any thread; what they touch is guarded by the mutex. Everything else happens on the completion
// thread.

#include <chrono>
#include <memory>
#include <optional>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/options.h"
#include "ferrite/v1/cluster.grpc.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"

namespace ferrite {

class NodeDirectory;
class RemoteNode;

class TopologyWatch final : public InFlight {
 public:
  // `directory` must outlive what is in flight on the thread.
  static std::shared_ptr<TopologyWatch> Start(CompletionThread* thread, NodeDirectory* directory,
                                              const RetryPolicy& retry);
  TopologyWatch(const TopologyWatch&) = delete;
  TopologyWatch& operator=(const TopologyWatch&) = delete;

  // The node that tells is behind the others: asks another one instead. At most once a second.
  void MoveOn();
  // The same if it is `node` that tells, or is asked.
  void MoveOnFrom(const RemoteNode& node);

  void Cancel() override;
  void Proceed(bool ok) override;

 private:
  using Clock = std::chrono::steady_clock;

  // What follows the pending operation.
  enum class Step { kOpen, kStart, kRead, kFinish };

  TopologyWatch(CompletionThread* thread, NodeDirectory* directory, const RetryPolicy& retry)
      : thread_(*thread), directory_(*directory), retry_(retry) {}

  void Open();
  void Read();
  // A message has come.
  void TakeMessage();
  void Finish();
  void OnBroken();
  // How long to wait before the next stream.
  absl::Duration PauseAfter(const grpc::Status& status);
  void Leave();
  void MoveOnLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // No more messages are wanted from this stream.
  void GiveUp();

  CompletionThread& thread_;
  NodeDirectory& directory_;
  const RetryPolicy retry_;
  std::shared_ptr<TopologyWatch> self_;  // while in flight

  Step step_ = Step::kOpen;
  v1::WatchTopologyResponse message_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchTopologyResponse>> reader_;
  grpc::Status status_;
  int failures_ = 0;
  bool is_lone_ = false;  // the node said that it is part of no cluster

  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool moving_on_ ABSL_GUARDED_BY(mutex_) = false;
  Clock::time_point moved_on_ ABSL_GUARDED_BY(mutex_);        // the last time
  std::shared_ptr<RemoteNode> node_ ABSL_GUARDED_BY(mutex_);  // that tells; null: none yet
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
