#pragma once

// The namespaces of this moment beside `default`, as the policy has them. One thread changes them
// while others serve: as with the policy itself, each serving thread keeps the picture that it saw
// last, and a call that names no namespace does not even look.
//
// One that the policy no longer has is out of the picture at once, and what goes on in it ends.
// When no thread sees it any more its entries are taken out in short steps, and their memory is the
// others'. The rest of it goes when nothing refers to it: a stream ends only when its client has
// taken what is on its way.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/engine/serving_thread.h"
#include "server/namespaces/namespace.h"
#include "server/policy/namespace_rules.h"
#include "store/flush_walk.h"

namespace ferrite {

// Thread-safe, but for Connect().
class Namespaces {
 public:
  Namespaces(const NamespaceParts& parts, uint64_t max_memory_bytes);
  ~Namespaces();
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  // The threads that serve, in order; once, before they start.
  void Connect(std::vector<ServingThread*> threads);

  // Makes, changes and drops namespaces so that there are these. INVALID_ARGUMENT, and nothing is
  // changed, if there is too little memory for them.
  absl::Status Apply(const std::vector<policy::NamespaceRules>& rules) ABSL_LOCKS_EXCLUDED(mutex_);
  // --max-memory has changed, to no less than LeastMaxMemory(); 0: no limit. Then shares stay what
  // they were.
  void SetMaxMemory(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t LeastMaxMemory() ABSL_LOCKS_EXCLUDED(mutex_);

  // Has one of them serve a turn. NOT_FOUND (NAMESPACE_UNKNOWN) if there is none. On a serving
  // thread.
  absl::Status Serve(Method method, const std::string* name, Turn* turn) const;
  // What subscriptions of one may take, which keeps it; null if there is none. On a serving thread.
  std::shared_ptr<SubscriberBudget> SubscribersOf(const std::string* name) const;
  // To be called between steps of a serving thread.
  void RunDispatchers(size_t thread) const {
    if (count_.load(std::memory_order_relaxed) == 0) [[likely]]
      return;
    for (const auto& [name, each] : Now()->by_name) each->dispatcher(thread)->RunIfWoken();
  }
  // The serving thread is about to end.
  void CloseDispatchers(size_t thread) const;

  // Housekeeping: a round of what nobody waits for. One thread at a time.
  void Sweep() ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether the next round should come soon.
  bool HasExcess() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Of all, default included.
  size_t StoreBytes() const ABSL_LOCKS_EXCLUDED(mutex_);

  // By name. Keeps them from being destroyed: let go soon.
  std::vector<std::shared_ptr<Namespace>> All() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Picture {
    absl::flat_hash_map<const std::string*, std::shared_ptr<Namespace>> by_name;
  };
  // One that was dropped.
  struct Grave {
    std::shared_ptr<Namespace> space;
    std::atomic<size_t> threads_left{0};  // that may still see it
    std::unique_ptr<FlushWalk> walk;      // once nobody does
    std::atomic<bool> is_empty{false};
  };

  // The picture of this moment; the reference is good until this thread asks again.
  const std::shared_ptr<const Picture>& Now() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<uint64_t> LeastOfEach(const std::vector<policy::NamespaceRules>& rules) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Publish(std::shared_ptr<const Picture> picture) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Bury(std::shared_ptr<Namespace> space) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives `default` what the others leave, those included that are being emptied.
  void LimitDefault() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EmptyGraves() ABSL_LOCKS_EXCLUDED(mutex_);
  void ShareHeap(const std::vector<std::shared_ptr<Namespace>>& all);

  const NamespaceParts parts_;
  std::vector<ServingThread*> threads_;
  std::atomic<size_t> count_{0};
  std::atomic<uint64_t> number_{0};  // of the picture; no two of this process have the same
  mutable Mutex mutex_;
  uint64_t max_memory_bytes_ ABSL_GUARDED_BY(mutex_);
  std::vector<policy::NamespaceRules> rules_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Picture> picture_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Grave>> graves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
