#pragma once

#include <memory>

#include "server/handlers/wire_handlers.h"
#include "server/metrics/thread_counters.h"
#include "tests/store/fake_clock.h"

namespace ferrite {

inline constexpr size_t kMaxValueBytes = 1 << 20;

// A store with its handlers.
struct Side {
  explicit Side(size_t max_value_bytes = kMaxValueBytes)
      : cache(&store, &replays, &events, &clock, max_value_bytes) {
    counters.AttachThread();
    // So that there is something to tell of what is published.
    for (const char* channel : {"k1", "k2"}) {
      Topic topic;
      topic.name = channel;
      events.Follow({std::make_shared<const Topic>(topic)}, events.NewStreamNumber()).value();
    }
  }

  FakeClock clock;
  CounterRegistry counters;
  Store store{{.shards = 4, .clock = &clock}};
  ReplayWindow replays{1 << 20, &clock};
  EventHub events{&store, {}};
  CacheHandlers cache;
  WireHandlers wire{&store, &events, &cache};
};

}  // namespace ferrite
