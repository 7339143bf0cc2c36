#pragma once

// Events of keys that have their places in the log and are yet to be completed: what is copied of
// them under a key's lock, and what is done without it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/events/event_log.h"
#include "server/events/recorded_event.h"
#include "store/event.h"
#include "store/value.h"

namespace ferrite {

// Not thread-safe: each thread has its own. What it needs under the lock it gets ahead, so that as
// a rule nothing is allocated or freed there.
class OpenEvents {
 public:
  static OpenEvents& OfThisThread() {
    thread_local OpenEvents events;
    return events;
  }

  // An empty event, to be given a place. The same one until Add().
  const std::shared_ptr<RecordedEvent>& spare() {
    if (spares_.empty()) spares_.push_back(std::make_shared<RecordedEvent>());
    return spares_.back();
  }
  // That event has its place now, and is to become this.
  void Add(const StoreEvent& event, bool with_value) {
    Open& open = open_.emplace_back();
    open.event = std::move(spares_.back());
    spares_.pop_back();
    open.fields = event;
    open.with_value = with_value;
    open.begin = bytes_.size();
    bytes_.append(event.key);
    if (!with_value) return;
    if (event.block != nullptr) {
      event.block->Ref();
      open.block.reset(event.block);
    } else {
      bytes_.append(event.value);
    }
  }

  // Completes all; returns how many.
  size_t CompleteAll(EventLog* log) {
    const size_t count = open_.size();
    for (Open& open : open_) {
      const std::string_view bytes(bytes_);
      StoreEvent& fields = open.fields;
      fields.key = bytes.substr(open.begin, fields.key.size());
      if (open.block != nullptr) {
        fields.value = open.block->bytes();
      } else if (open.with_value) {
        fields.value = bytes.substr(open.begin + fields.key.size(), fields.value.size());
      }
      log->Complete(open.event.get(), fields, open.with_value);
    }
    open_.clear();
    bytes_.clear();
    gone.clear();
    while (spares_.size() < kSpares) spares_.push_back(std::make_shared<RecordedEvent>());
    return count;
  }

  // Whether dispatchers are to be woken now, given whether there are new events: once for a batch.
  bool TakeWake(bool is_due, bool more) {
    wake_is_due_ |= is_due;
    return !more && std::exchange(wake_is_due_, false);
  }

  EventLog::Gone gone;

 private:
  // One write has up to two: of an entry that had expired, and of what takes its place.
  static constexpr size_t kSpares = 2;

  struct Open {
    std::shared_ptr<RecordedEvent> event;
    StoreEvent fields{};  // their bytes are copied
    bool with_value = false;
    size_t begin = 0;  // of the key, and then the value, in bytes_
    BlockRef block;    // of a large value
  };
  std::vector<Open> open_;
  std::string bytes_;
  std::vector<std::shared_ptr<RecordedEvent>> spares_;
  bool wake_is_due_ = false;
};

}  // namespace ferrite
