#pragma once

// The view of this moment, which one thread replaces while others use it.
//
// A call that counted references would have all threads write to one cache line. So each thread
// has a ViewReader, which holds the view that it saw last and asks, with one load, whether there is
// a newer one.

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "server/cluster/view.h"

namespace ferrite::cluster {

// Thread-safe. Must outlive its readers.
class PublishedView {
 public:
  // Replaces the view: whoever asks from now on gets this one. A call in progress on another thread
  // may use the one before until it asks again.
  void Publish(std::shared_ptr<const ClusterView> view) {
    MutexLock lock(&mutex_);
    view_ = std::move(view);
    count_.fetch_add(1, std::memory_order_seq_cst);
  }

  std::shared_ptr<const ClusterView> Get() const {
    MutexLock lock(&mutex_);
    return view_;
  }

  // How often the view was replaced.
  uint64_t count() const { return count_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> count_{0};
  mutable Mutex mutex_;
  std::shared_ptr<const ClusterView> view_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const ClusterView>();
};

// What one thread knows of it. Not thread-safe.
class ViewReader {
 public:
  explicit ViewReader(const PublishedView* published) : published_(*published) { Take(); }

  // The view of this moment. The reference is good until the next call.
  const ClusterView& view() {
    if (published_.count() != count_) [[unlikely]]
      Take();
    return *view_;
  }
  // What view() returned last.
  const ClusterView& last() const { return *view_; }
  // Differs whenever that is another one.
  uint64_t taken() const { return count_; }

 private:
  void Take() {
    // Asked first: a view that comes in between is then taken again.
    count_ = published_.count();
    view_ = published_.Get();
  }

  const PublishedView& published_;
  uint64_t count_ = 0;
  std::shared_ptr<const ClusterView> view_;
};

}  // namespace ferrite::cluster
