#pragma once

// What a node of a cluster needs to serve, forward or refuse calls, by their slots.

#include <memory>
#include <vector>

#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// What the rest of a node tells of its part in a cluster. Both must outlive the node.
struct Membership {
  const cluster::PublishedView* view;
  const cluster::ServingRight* right;
};

// Thread-safe once all threads have their connectors.
class Router {
 public:
  Router(const Membership& membership, size_t threads, const LaneLimits& limits = {},
         const ScopeOfCaller& scope_of = nullptr)
      : replies_(std::make_unique<HeldReplies>(limits.reply_bytes)) {
    for (size_t i = 0; i < threads; ++i) {
      threads_.push_back(std::make_unique<ThreadRouting>(membership.view, membership.right, limits,
                                                         replies_.get(), scope_of));
    }
  }

  // For a serving thread, by its index.
  ThreadRouting* of(size_t thread) const { return threads_[thread].get(); }
  const std::vector<std::unique_ptr<ThreadRouting>>& threads() const { return threads_; }
  // Of peers, of all threads.
  const HeldReplies& replies() const { return *replies_; }

 private:
  std::unique_ptr<HeldReplies> replies_;
  std::vector<std::unique_ptr<ThreadRouting>> threads_;
};

}  // namespace ferrite
