#include "client/topology/known_node.h"

namespace ferrite {

NodePipeline& KnownNode::MakePipeline(bool direct) {
  MutexLock lock(&mutex_);
  std::unique_ptr<NodePipeline>& pipeline = pipelines_[direct];
  if (pipeline == nullptr) {
    pipeline = std::make_unique<NodePipeline>(remote_, around_.threads,
                                              around_.options.batching.max_frames_in_flight,
                                              around_.router, direct);
    if (retired_) pipeline->Retire(shared_from_this());
    if (closed_) pipeline->Close();
    made_[direct].store(pipeline.get(), std::memory_order_release);
  }
  return *pipeline;
}

void KnownNode::Retire() {
  MutexLock lock(&mutex_);
  retired_ = true;
  for (const auto& pipeline : pipelines_) {
    if (pipeline != nullptr) pipeline->Retire(shared_from_this());
  }
}

void KnownNode::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  for (const auto& pipeline : pipelines_) {
    if (pipeline != nullptr) pipeline->Close();
  }
}

void KnownNode::AwaitEnd() {
  for (const bool direct : {false, true}) {
    if (NodePipeline* const made = made_[direct].load(std::memory_order_acquire)) made->AwaitEnd();
  }
}

}  // namespace ferrite
