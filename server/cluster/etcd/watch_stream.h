#pragma once

// A watch of etcd, stream after stream.

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "server/cluster/etcd/etcd_call.h"

namespace ferrite::cluster {

// What all streams of a watch share. Used by the client's thread only, once it has begun.
struct WatchTerms {
  EtcdParts parts;
  std::string key;
  std::string range_end;
  EtcdClient::Hint hint;
  std::minstd_rand random;
  int failures = 0;  // in a row
};

// One stream. Owns itself from Begin on.
class WatchStream final : public EtcdTag {
 public:
  static void Begin(std::shared_ptr<WatchTerms> terms);

  void Proceed(bool ok) override;
  bool IsUrgent() const override { return false; }
  void Cancel() override { context_.TryCancel(); }

  explicit WatchStream(std::shared_ptr<WatchTerms> terms);

 private:
  enum class Step { kStart, kWrite, kRead, kEnd };

  // Whether the stream is still of use.
  bool Take();
  void End();

  const std::shared_ptr<WatchTerms> terms_;
  const size_t member_;
  grpc::ClientContext context_;
  grpc::Status status_;
  etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse response_;
  std::unique_ptr<
      grpc::ClientAsyncReaderWriter<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>>
      stream_;
  Step step_ = Step::kStart;
};

// The time until the next stream. Owns itself from Begin on.
class WatchPause final : public EtcdTag {
 public:
  static void Begin(std::shared_ptr<WatchTerms> terms);

  void Proceed(bool ok) override;
  bool IsUrgent() const override { return false; }
  void Cancel() override;

  explicit WatchPause(std::shared_ptr<WatchTerms> terms) : terms_(std::move(terms)) {}

 private:
  const std::shared_ptr<WatchTerms> terms_;
  Mutex mutex_;  // it may be cancelled just when it begins
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite::cluster
