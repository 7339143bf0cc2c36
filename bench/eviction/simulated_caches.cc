#include "bench/eviction/simulated_caches.h"

#include <queue>
#include <utility>
#include <vector>

namespace ferrite::bench {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

// What all of them have in common: which keys are held, and what they cost.
class SimulatedCache : public Cache {
 public:
  SimulatedCache(const Trace& trace, double memory_bytes, EntryCost cost)
      : trace_(trace), memory_bytes_(memory_bytes), cost_(cost), held_(trace.keys.size()) {}

  size_t Replay(std::span<const Request> requests) override {
    size_t misses = 0;
    for (const Request& request : requests) {
      const size_t index = static_cast<size_t>(&request - trace_.requests.data());
      if (held_[request.key] > 0) {
        Use(request.key, index);
        continue;
      }
      ++misses;
      const double cost = cost_.Of(trace_.key(request).size(), request.value_bytes);
      held_[request.key] = cost;
      used_bytes_ += cost;
      Insert(request.key, index);
      while (used_bytes_ > memory_bytes_) {
        const uint32_t victim = Evict();
        used_bytes_ -= std::exchange(held_[victim], 0);
      }
    }
    return misses;
  }

 protected:
  virtual void Use(uint32_t key, size_t index) = 0;
  virtual void Insert(uint32_t key, size_t index) = 0;
  virtual uint32_t Evict() = 0;

  const Trace& trace() const { return trace_; }
  bool Holds(uint32_t key) const { return held_[key] > 0; }

 private:
  const Trace& trace_;
  const double memory_bytes_;
  const EntryCost cost_;
  std::vector<double> held_;  // the cost of each key that is held, 0 of the others
  double used_bytes_ = 0;
};

// A list through arrays, from the oldest to the newest.
class ListCache : public SimulatedCache {
 public:
  ListCache(const Trace& trace, double memory_bytes, EntryCost cost, bool uses_count)
      : SimulatedCache(trace, memory_bytes, cost),
        uses_count_(uses_count),
        older_(trace.keys.size(), kNone),
        newer_(trace.keys.size(), kNone) {}

 protected:
  void Use(uint32_t key, size_t index) override {
    if (!uses_count_) return;
    Unlink(key);
    Insert(key, index);
  }
  void Insert(uint32_t key, size_t /*index*/) override {
    older_[key] = newest_;
    newer_[key] = kNone;
    (newest_ == kNone ? oldest_ : newer_[newest_]) = key;
    newest_ = key;
  }
  uint32_t Evict() override {
    const uint32_t key = oldest_;
    Unlink(key);
    return key;
  }

 private:
  void Unlink(uint32_t key) {
    (older_[key] == kNone ? oldest_ : newer_[older_[key]]) = newer_[key];
    (newer_[key] == kNone ? newest_ : older_[newer_[key]]) = older_[key];
  }

  const bool uses_count_;
  std::vector<uint32_t> older_;
  std::vector<uint32_t> newer_;
  uint32_t oldest_ = kNone;
  uint32_t newest_ = kNone;
};

class BeladyCache : public SimulatedCache {
 public:
  BeladyCache(const Trace& trace, double memory_bytes, EntryCost cost)
      : SimulatedCache(trace, memory_bytes, cost),
        next_request_(trace.requests.size()),
        next_of_key_(trace.keys.size(), kNone) {
    for (size_t i = trace.requests.size(); i-- > 0;) {
      next_request_[i] =
          std::exchange(next_of_key_[trace.requests[i].key], static_cast<uint32_t>(i));
    }
  }

 protected:
  void Use(uint32_t key, size_t index) override { Insert(key, index); }
  void Insert(uint32_t key, size_t index) override {
    next_of_key_[key] = next_request_[index];
    by_next_.emplace(next_request_[index], key);
  }
  uint32_t Evict() override {
    for (;;) {
      const auto [next, key] = by_next_.top();
      by_next_.pop();
      // Others are of the past: the key was asked for meanwhile, or is gone.
      if (Holds(key) && next_of_key_[key] == next) return key;
    }
  }

 private:
  std::vector<uint32_t> next_request_;  // of the same key after each request; kNone: never again
  std::vector<uint32_t> next_of_key_;
  std::priority_queue<std::pair<uint32_t, uint32_t>> by_next_;
};

}  // namespace

std::unique_ptr<Cache> MakeLru(const Trace& trace, double memory_bytes, EntryCost cost) {
  return std::make_unique<ListCache>(trace, memory_bytes, cost, true);
}

std::unique_ptr<Cache> MakeFifo(const Trace& trace, double memory_bytes, EntryCost cost) {
  return std::make_unique<ListCache>(trace, memory_bytes, cost, false);
}

std::unique_ptr<Cache> MakeBelady(const Trace& trace, double memory_bytes, EntryCost cost) {
  return std::make_unique<BeladyCache>(trace, memory_bytes, cost);
}

}  // namespace ferrite::bench
