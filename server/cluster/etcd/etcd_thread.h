#pragma once

// The thread that takes up what gRPC has done for the calls to etcd, and those calls, so that all
// of them can be ended.

#include <grpc/grpc.h>
#include <grpcpp/completion_queue.h>

#include <thread>

#include "absl/container/flat_hash_set.h"
#include "base/mutex.h"

namespace ferrite::cluster {

// A call, which gRPC gives back after each of its operations. It has one at a time.
class EtcdTag {
 public:
  virtual ~EtcdTag() = default;
  // On the thread. The tag may delete itself.
  virtual void Proceed(bool ok) = 0;
  // The operation that is under way is to end soon. From any thread.
  virtual void Cancel() = 0;
};

// Thread-safe.
class EtcdThread {
 public:
  // Who waits for gRPC's sockets. It has one poller in the process, and an event wakes each thread
  // that polls; so where other threads poll all the time anyway, this one better does not.
  enum class Polling { kOwn, kByOthers };

  explicit EtcdThread(Polling polling);
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
  // A queue that is made by hand does not see to this.
  struct Library {
    Library() { grpc_init(); }
    ~Library() { grpc_shutdown(); }
  };

  void Run();

  const Library library_;
  grpc::CompletionQueue queue_;
  mutable Mutex mutex_;
  Condition removed_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<EtcdTag*> tags_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace ferrite::cluster
