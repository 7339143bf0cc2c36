#pragma once

// The Pipeline streams to one node, one on each of its connections. Calls take turns among them.

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "client/completion_thread.h"
#include "client/pipeline/pending_call.h"
#include "client/pipeline/pipeline_stream.h"
#include "client/pipeline/pipeline_support.h"
#include "client/remote_node.h"

namespace ferrite {

// Thread-safe.
class NodePipeline {
 public:
  // The threads outlive it; each serves some of the streams. So does the router.
  NodePipeline(const std::shared_ptr<RemoteNode>& node,
               const std::vector<std::unique_ptr<CompletionThread>>& threads,
               int max_frames_in_flight, CallRouter* router, bool direct) {
    for (size_t i = 0; i < node->connection_count(); ++i) {
      streams_.push_back(std::make_unique<PipelineStream>(
          node, &node->connection(i), threads[i % threads.size()].get(), max_frames_in_flight,
          &support_, router, direct));
    }
  }

  // Whether a call whose request has this size is to travel in a frame. A large one would delay the
  // others of its frame and gain nothing.
  bool Takes(size_t request_bytes) const {
    return request_bytes < kLargeBytes && support_.is_likely();
  }

  // See PipelineStream.
  std::unique_ptr<PendingCall> Start(std::unique_ptr<PendingCall> call) {
    return NextStream().Start(std::move(call));
  }
  void Retire(const std::shared_ptr<void>& owner) {
    for (const auto& stream : streams_) stream->Retire(owner);
  }
  void Close() {
    for (const auto& stream : streams_) stream->Close();
  }
  void AwaitEnd() {
    for (const auto& stream : streams_) stream->AwaitEnd();
  }

 private:
  static constexpr size_t kLargeBytes = 64 << 10;

  PipelineStream& NextStream() {
    if (streams_.size() == 1) return *streams_.front();
    return *streams_[turn_.fetch_add(1, std::memory_order_relaxed) % streams_.size()];
  }

  PipelineSupport support_;
  std::vector<std::unique_ptr<PipelineStream>> streams_;
  std::atomic<size_t> turn_{0};
};

}  // namespace ferrite
