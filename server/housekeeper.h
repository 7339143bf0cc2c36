#pragma once

// The thread that does what nobody waits for: it takes back the memory of expired entries and
// forgets old request_ids, and has the allocator give back what was freed.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/events/event_hub.h"
#include "server/handlers/replay_window.h"
#include "server/heap_trim.h"
#include "server/namespaces/namespaces.h"
#include "store/store.h"

namespace ferrite {

// Runs from construction to destruction.
class Housekeeper {
 public:
  // All must outlive it.
  Housekeeper(Store* store, ReplayWindow* replays, EventHub* events, Namespaces* namespaces);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

 private:
  void Run();
  // Returns true when it is time to stop.
  bool Rest();

  Store& store_;
  ReplayWindow& replays_;
  EventHub& events_;
  Namespaces& namespaces_;
  HeapTrim heap_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ferrite
