#pragma once

// Listeners are told of events under a key's lock, and called again when it is gone.

#include <cstdint>
#include <utility>

#include "store/event.h"

namespace ferrite {

// Whom this thread has to call again.
struct Telling {
  EventListener* told = nullptr;      // as soon as the lock is gone
  EventListener* in_batch = nullptr;  // at the end of the batch
  uint32_t batches = 0;               // that this thread is in, one within the other
};
inline constinit thread_local Telling telling;

inline void CallAfterEvents() {
  EventListener* const listener = std::exchange(telling.told, nullptr);
  const bool more = telling.batches > 0;
  if (more) telling.in_batch = listener;
  listener->AfterEvents(more);
}

// To be called whenever a key's lock is gone.
inline void AfterKeyLock() {
  if (telling.told != nullptr) [[unlikely]]
    CallAfterEvents();
}

// The same at the end of a scope: declare it before the lock.
struct TellsAfterwards {
  ~TellsAfterwards() { AfterKeyLock(); }
};

// Operations within this scope are a batch for listeners.
class EventBatch {
 public:
  EventBatch() { ++telling.batches; }
  ~EventBatch() {
    if (--telling.batches > 0 || telling.in_batch == nullptr) [[likely]]
      return;
    std::exchange(telling.in_batch, nullptr)->AfterEvents(false);
  }
  EventBatch(const EventBatch&) = delete;
  EventBatch& operator=(const EventBatch&) = delete;
};

}  // namespace ferrite
