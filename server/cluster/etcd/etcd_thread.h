#pragma once

// The thread that takes up what gRPC has done for the calls to etcd, and those calls, so that all
// of them can be ended.
//
// It looks at its queue every now and then instead of waiting in gRPC. gRPC has one poller in the
// process, and hands that over from thread to thread with every event: one more thread that polls
// would be woken for each Get.

#include <grpcpp/completion_queue.h>

#include <thread>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"

namespace ferrite::cluster {

// A call, which gRPC gives back after each of its operations. It has one at a time.
class EtcdTag {
 public:
  virtual ~EtcdTag() = default;
  // Whether somebody waits for its end.
  virtual bool IsUrgent() const = 0;
  // On the thread. The tag may delete itself.
  virtual void Proceed(bool ok) = 0;
  // The operation that is under way is to end soon. From any thread.
  virtual void Cancel() = 0;
};

// Thread-safe.
class EtcdThread {
 public:
  EtcdThread() : thread_([this] { Run(); }) {}
  ~EtcdThread() { Close(); }
  EtcdThread(const EtcdThread&) = delete;
  EtcdThread& operator=(const EtcdThread&) = delete;

  grpc::CompletionQueue* queue() { return &queue_; }

  // Returns false, and does not count the tag, if the thread is closing. Otherwise the tag is to be
  // removed when no operation of it is under way any more.
  bool Add(EtcdTag* tag) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(EtcdTag* tag) ABSL_LOCKS_EXCLUDED(mutex_);
  bool closing() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Cancels all that is under way, and returns when all of it has ended.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run();
  // Takes up what there is. Returns false once the queue has been shut down.
  bool Look();

  grpc::CompletionQueue queue_;
  mutable Mutex mutex_;
  Condition changed_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  size_t urgent_ ABSL_GUARDED_BY(mutex_) = 0;  // of the tags
  absl::flat_hash_set<EtcdTag*> tags_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace ferrite::cluster
