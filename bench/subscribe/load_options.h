#pragma once

// The options of the load program.

#include <cstdint>
#include <memory>
#include <string>

#include "bench/subscribe/dialect.h"

namespace ferrite::bench {

struct LoadOptions {
  std::string protocol = "ferrite";
  int port = 0;
  Topic topic{.channel = "channel"};
  int subscribers = 1;
  int streams = 1;       // subscriptions on a connection
  bool stalled = false;  // the subscribers of Ferrite do not read
  int publishers = 1;    // connections
  int burst = 1;         // messages that travel together
  double rate = 0;       // messages per second, on a schedule; 0: as fast as they are answered
  double seconds = 1;
  size_t payload_bytes = 64;
  uint64_t most_behind = 1024;  // how many messages the subscribers may be behind on average

  std::unique_ptr<Dialect> MakeDialect(bool subscribes) const;
};

}  // namespace ferrite::bench
