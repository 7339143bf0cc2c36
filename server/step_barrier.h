#pragma once

// Tells when every serving thread has ended the step that it was in.
//
// Whoever is at work for a call in several steps looks at the cluster's view at the start of each.
// So when all threads are past the step in which a view was replaced, nobody acts by the old one.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace ferrite {

// Used by one thread, which is no serving thread.
class StepBarrier {
 public:
  // Has all serving threads call `body` soon, each between two steps.
  using PostToAll = std::function<size_t(const std::function<void()>& body)>;

  // `post` returns how many threads there are.
  explicit StepBarrier(PostToAll post) : post_(std::move(post)) {}

  // Whether all threads have ended the step in which they were when this was first asked for
  // `mark`, a number that grows.
  bool HasPassed(uint64_t mark) {
    if (mark > mark_) {
      mark_ = mark;
      passed_ = std::make_shared<std::atomic<size_t>>(0);
      threads_ = post_([passed = passed_] { passed->fetch_add(1, std::memory_order_release); });
    }
    return passed_ == nullptr || passed_->load(std::memory_order_acquire) >= threads_;
  }

 private:
  const PostToAll post_;
  uint64_t mark_ = 0;
  std::shared_ptr<std::atomic<size_t>> passed_;
  size_t threads_ = 0;
};

}  // namespace ferrite
