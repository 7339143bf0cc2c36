#pragma once

// A node of the cache with all that a client has for it: its connections, and the calls that share
// frames on them. Both are made when they are first needed.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "client/completion_thread.h"
#include "client/options.h"
#include "client/pipeline/call_router.h"
#include "client/pipeline/node_pipeline.h"
#include "client/remote_node.h"

namespace ferrite {

// What all nodes of a client share. All of it outlives them.
struct NodeSurroundings {
  const ClientOptions& options;
  const Credentials& credentials;
  const std::vector<std::unique_ptr<CompletionThread>>& threads;
  CallRouter* router;
};

// Thread-safe. Made by std::make_shared.
class KnownNode : public std::enable_shared_from_this<KnownNode> {
 public:
  KnownNode(const std::string& address, const NodeSurroundings& around)
      : around_(around),
        remote_(std::make_shared<RemoteNode>(address, around.options.channels_per_node,
                                             around.credentials)) {}
  KnownNode(const KnownNode&) = delete;
  KnownNode& operator=(const KnownNode&) = delete;

  const std::string& address() const { return remote_->address(); }
  RemoteNode& remote() const { return *remote_; }
  // Outlives the node, as long as it is held.
  const std::shared_ptr<RemoteNode>& shared_remote() const { return remote_; }
  bool IsDown() const { return remote_->reachability().IsDown(); }

  // Where calls share frames; `direct`: with the metadata that has the node refuse what belongs to
  // another. Batching must be on.
  NodePipeline& pipeline(bool direct) {
    NodePipeline* const made = made_[direct].load(std::memory_order_acquire);
    return made != nullptr ? *made : MakePipeline(direct);
  }

  // The client no longer calls this node. Calls that have not been sent go elsewhere, the others
  // end here; then its streams end.
  void Retire();

  // See PipelineStream.
  void Close();
  void AwaitEnd();

 private:
  NodePipeline& MakePipeline(bool direct);

  const NodeSurroundings around_;
  const std::shared_ptr<RemoteNode> remote_;
  std::array<std::atomic<NodePipeline*>, 2> made_{};
  Mutex mutex_;
  bool retired_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::array<std::unique_ptr<NodePipeline>, 2> pipelines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
