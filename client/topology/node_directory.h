#pragma once

// The nodes that a client knows, and which of them a call goes to.
//
// At first a client knows its seeds, and calls go to the first of them; if that cannot be reached,
// to the next. Its first call about keys has it ask who owns which slots (topology_watch.h). If the
// cache is a single node, nothing more happens. Otherwise each call goes to the owner of its slot,
// by the newest picture that came. If a slot has no owner, or none that can be reached, any other
// node forwards the call. What is about a node rather than about keys goes to seeds only, and what
// changes one to the first of them.
//
// A node that joins is called when a call belongs to it; one that leaves is retired (known_node.h).
// Seeds stay, as they may be needed again.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/options.h"
#include "client/pipeline/call_router.h"
#include "client/topology/call_route.h"
#include "client/topology/known_node.h"
#include "client/topology/picture.h"
#include "client/topology/topology_watch.h"

namespace ferrite {

// Where one try of a call goes.
struct Placement {
  KnownNode* node = nullptr;
  // With the metadata that has the node refuse what belongs to another.
  bool direct = false;
  // Keeps the node, which lives as long as this or, if it is a seed, as the directory.
  std::shared_ptr<const Picture> picture = nullptr;

  RemoteNode& remote() const { return node->remote(); }
};

// Thread-safe.
class NodeDirectory final : public CallRouter {
 public:
  using Threads = std::vector<std::unique_ptr<CompletionThread>>;

  // All must outlive it.
  NodeDirectory(const ClientOptions& options, const Credentials& credentials,
                const Threads& threads);
  // AwaitEnd() must have returned and the threads must have ended.
  ~NodeDirectory() override = default;
  NodeDirectory(const NodeDirectory&) = delete;
  NodeDirectory& operator=(const NodeDirectory&) = delete;

  Placement Place(const CallRoute& route) {
    if (route.to == CallRoute::To::kFirstSeed) return {.node = seeds_.front().get()};
    KnownNode* const lone = lone_.load(std::memory_order_acquire);
    return lone != nullptr ? Placement{.node = lone} : PlaceByPicture(route);
  }
  // Whether a call that did not reach its node can go to another.
  bool HasChoiceFor(const CallRoute& route) const {
    if (route.to == CallRoute::To::kFirstSeed) return false;
    return route.to == CallRoute::To::kSeed ? seeds_.size() > 1 : HasChoice();
  }
  // For what any node can do: one that can be reached, if possible another than `avoided`.
  Placement PlaceAnywhere(const RemoteNode* avoided = nullptr);

  // Null: none has come.
  std::shared_ptr<const Picture> picture() const;

  // Takes what a node has told. Returns whether it is part of a cluster. INVALID_ARGUMENT if it
  // makes no sense, or is about another cluster. One at a time.
  absl::StatusOr<bool> Take(const v1::Topology& topology);

  // Refuse further calls, and end those in flight soon with CANCELLED; wait for their ends.
  void Close();
  void AwaitEnd();

  bool HasChoice() const override { return has_choice_.load(std::memory_order_relaxed); }
  int64_t KnownEpoch() const override { return known_epoch_.load(std::memory_order_relaxed); }
  void Resend(std::unique_ptr<PendingCall> call) override;
  void NoteMoved(const SlotError& moved) override;
  void NoteUnreachable(RemoteNode& node) override;
  void NoteSilent(const RemoteNode& node) override;
  void NoteCutOff(const RemoteNode& node) override;

 private:
  using Clock = std::chrono::steady_clock;

  Placement PlaceByPicture(const CallRoute& route);
  KnownNode* AnyOf(const Picture* picture, const RemoteNode* avoided);
  KnownNode* SeedInUse() const { return seeds_[seed_.load(std::memory_order_relaxed)].get(); }
  void StartWatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ClientOptions& options_;
  const Threads& threads_;
  const NodeSurroundings around_;
  std::vector<std::shared_ptr<KnownNode>> seeds_;

  // The seed that gets all calls, as no cluster is known. Null: see PlaceByPicture().
  std::atomic<KnownNode*> lone_{nullptr};
  std::atomic<size_t> seed_{0};  // the number of the one in use
  std::atomic<bool> has_choice_;
  std::atomic<size_t> turn_;
  std::atomic<int64_t> known_epoch_{0};

  mutable Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Picture> picture_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<TopologyWatch> watch_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<KnownNode>> retired_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<KnownNode>> closing_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point behind_since_ ABSL_GUARDED_BY(mutex_) = Clock::time_point::max();
  Clock::time_point cut_off_noted_ ABSL_GUARDED_BY(mutex_) = Clock::time_point::min();
};

}  // namespace ferrite
