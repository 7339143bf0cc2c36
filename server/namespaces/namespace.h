#pragma once

// One namespace beside `default`: a store, a log of events and a window of request_ids of its own,
// with the handlers for them, and what limits it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/engine/rpc.h"
#include "server/engine/serving_thread.h"
#include "server/events/dispatcher.h"
#include "server/events/event_hub.h"
#include "server/handlers/admin_handlers.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/replay_window.h"
#include "server/handlers/wire_handlers.h"
#include "server/namespaces/connection_places.h"
#include "server/namespaces/namespace_tally.h"
#include "server/namespaces/rate_limit.h"
#include "server/policy/namespace_rules.h"
#include "store/store.h"

namespace ferrite {

// What namespaces need of their server. All must outlive them.
struct NamespaceParts {
  Store* default_store;
  const CounterRegistry* counters;
  SlowCalls* slow_calls;
  uint64_t max_value_bytes;
  EventLimits events;  // of which a namespace has no more than its memory allows
  size_t request_window_bytes;
  bool in_cluster;
  ScopeOfCaller scope_of;  // of request_ids
};

// What a namespace must at least have.
inline constexpr uint64_t kLeastNamespaceBytes = uint64_t{16} << 20;
// A quarter of its memory is for subscriptions, for what waits for them, for the log of events, and
// for the window of request_ids, a sixteenth for each. A little is what a store keeps beside its
// limit (store.h); the rest is for entries.
inline constexpr uint64_t kKeptByStoreBytes = uint64_t{3} << 20;
constexpr uint64_t EntryBytesOf(uint64_t memory_bytes) {
  return memory_bytes - memory_bytes / 4 - kKeptByStoreBytes;
}

// Thread-safe, but for Connect(). Used through shared pointers.
class Namespace {
 public:
  Namespace(const std::string* name, const policy::NamespaceRules& rules, uint64_t memory_bytes,
            const NamespaceParts& parts);
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // The threads that serve it, in order; once, before the first call.
  void Connect(const std::vector<ServingThread*>& threads);
  Dispatcher* dispatcher(size_t thread) { return dispatchers_[thread].get(); }

  // Limits that hold from now on.
  void Change(const policy::NamespaceRules& rules, uint64_t memory_bytes);
  // It is gone: whatever goes on in it ends, with NAMESPACE_DROPPED.
  void Drop();
  bool is_dropped() const { return dropped_.load(std::memory_order_acquire); }

  // The handler of a method of CacheRpcs(), within the limits. `self` keeps this for as long as the
  // answer takes.
  absl::Status Serve(Method method, const std::shared_ptr<Namespace>& self, Turn* turn);

  const std::string& name() const { return name_; }
  Store* store() { return &store_; }
  EventHub* events() { return &events_; }
  ReplayWindow* replays() { return &replays_; }
  const NamespaceTally& tally() const { return tally_; }
  size_t connections() const { return connections_.count(); }
  uint64_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }
  // What Change() must at least give it by now.
  uint64_t LeastMemoryBytes() const;

 private:
  friend class NamespaceAnswer;
  friend class Metering;

  absl::Status Admit(const Caller& caller);
  // A frame comes within no limit: each of its operations is told so, and the stream goes on.
  absl::Status RefuseFrame(const absl::Status& why, Turn* turn);
  uint64_t Watch(Waker waker) ABSL_LOCKS_EXCLUDED(mutex_);
  void Unwatch(uint64_t number) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string& name_;
  std::atomic<uint64_t> memory_bytes_;
  Store store_;
  EventHub events_;
  ReplayWindow replays_;
  CacheHandlers cache_;
  WireHandlers wire_;
  RateLimit rate_;
  ConnectionPlaces connections_;
  NamespaceTally tally_;
  AdminHandlers admin_;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  std::array<Handler, kMethodCount> handlers_;
  // Made once: each refusal is to cost next to nothing.
  const absl::Status too_many_operations_;
  const absl::Status too_many_connections_;
  const absl::Status gone_;
  std::atomic<bool> dropped_{false};
  Mutex mutex_;
  uint64_t last_answer_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> answers_ ABSL_GUARDED_BY(mutex_);  // that go on
};

}  // namespace ferrite
