#include "client/cli/flush/flush_nodes.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace ferrite::cli {
namespace {

constexpr size_t kMostAtATime = 16;

}  // namespace

void NodesFlush::Run(const std::function<void(const FlushedNode&)>& done,
                     const FlushListener& progress) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(nodes_.size(), kMostAtATime); ++i)
    threads.emplace_back([this] { Work(); });
  for (size_t told = 0; told < nodes_.size();) {
    std::vector<FlushedNode> ended;
    Share sum;
    {
      MutexLock lock(&mutex_);
      if (ended_.empty()) changed_.Wait(&mutex_);
      ended.swap(ended_);
      sum = Sum();
    }
    for (const FlushedNode& node : ended) done(node);
    told += ended.size();
    progress(sum.deleted, sum.done_fraction);
  }
  for (std::thread& thread : threads) thread.join();
}

void NodesFlush::Work() {
  for (;;) {
    size_t number;
    {
      MutexLock lock(&mutex_);
      if (begun_ == nodes_.size()) return;
      number = begun_++;
    }
    const LivingNode& node = nodes_[number];
    const auto note = [&](uint64_t deleted, double done_fraction) {
      MutexLock lock(&mutex_);
      shares_[number] = {deleted, done_fraction};
      changed_.NotifyAll();
    };
    absl::StatusOr<uint64_t> deleted = FlushNode(node.address, credentials_, timeout_, note);
    MutexLock lock(&mutex_);
    shares_[number] = {deleted.value_or(shares_[number].deleted), 1};
    ended_.push_back({node.name, std::move(deleted)});
    changed_.NotifyAll();
  }
}

NodesFlush::Share NodesFlush::Sum() const {
  Share sum;
  for (const Share& share : shares_) {
    sum.deleted += share.deleted;
    sum.done_fraction += share.done_fraction / static_cast<double>(shares_.size());
  }
  return sum;
}

}  // namespace ferrite::cli
