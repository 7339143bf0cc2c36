#pragma once

// What happens to entries, told as it happens.

#include <cstdint>
#include <string_view>

namespace ferrite {

class ValueBlock;

enum class EventKind : uint8_t {
  kSet,     // written by Set
  kIncr,    // written by Incr
  kDelete,  // deleted on request
  kExpire,  // its time was over; told when the entry is reclaimed or written anew, whichever is
            // first
  kEvict,   // gone to make room
};

struct StoreEvent {
  EventKind kind;
  std::string_view key;
  uint64_t version;        // the one that was written, or that of the entry that is gone
  std::string_view value;  // what was written; empty when the entry is gone
  // The block in which a large `value` lies; null otherwise. Ref() it to keep the value.
  ValueBlock* block = nullptr;
};

// Thread-safe implementations only: events of different keys come at the same time.
class EventListener {
 public:
  virtual ~EventListener() = default;

  // Called with the entry locked, so that the events of one key come in the order in which they
  // happened, one at a time. Must be quick, must not throw and must not call the store. The views
  // are valid during the call. What needs not be done in that order is for AfterEvents.
  virtual void OnEvent(const StoreEvent& event) = 0;

  // Called by the same thread after one or a few calls of OnEvent, as soon as it holds no lock of
  // the store. If `more`, it is in the middle of a batch, and will call again at the end of it.
  virtual void AfterEvents(bool more) { (void)more; }
};

}  // namespace ferrite
