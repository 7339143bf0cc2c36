#pragma once

// How a Client behaves, and how one call may differ from that.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/tls_options.h"
#include "client/token_options.h"

namespace ferrite {

// When a failed call is tried again: if that is safe, as it certainly was not executed or does no
// harm twice (see client/repeatable.h), only after UNAVAILABLE or if the server said when (see
// client/retry.h), and never beyond the deadline of the call.
//
// In a cluster a call waits patiently while nobody serves its key, as when a node dies or slots
// change their owner, and while it cannot be sent although there are other nodes: it is tried until
// its deadline. Such tries do not count as `max_attempts`. Nor do those that are made because a
// node says that another owns the key.
struct RetryPolicy {
  // Tries in all, the first one included, but for those named above; 1: never again, and no
  // patience. At least 1.
  int max_attempts = 4;
  // The longest pause before the second try. It doubles from try to try. Above 0.
  absl::Duration initial_backoff = absl::Milliseconds(50);
  // The pause does not grow beyond this. Not below `initial_backoff`.
  absl::Duration max_backoff = absl::Seconds(1);
};

// How concurrent calls about one key share frames of a Pipeline stream.
struct BatchingOptions {
  // False: each call is an RPC of its own.
  bool enabled = true;
  // How many frames of a connection may await their replies, 1 to 64. More of them hide more
  // latency; fewer make frames fuller.
  int max_frames_in_flight = 8;
};

// Which nodes of a cluster are called. It makes no difference to a single node.
enum class RoutingMode {
  // The owner of each key, which answers without a detour. A node tells the client who owns what,
  // and of every change, so each node must be reachable at the address that it advertises.
  kByOwner,
  // Only the seeds, such as a load balancer in front of nodes that cannot be reached one by one.
  // Each forwards what belongs to other nodes.
  kAnyNode,
};

struct ClientOptions {
  // Where to find the cache: "host:port", "[::1]:port" or, of a Unix domain socket, "unix:/path" or
  // "unix-abstract:name". 1 to 64 nodes of one cache. Any that can be reached suffices; they are
  // tried in this order.
  std::vector<std::string> seeds;
  // Of all nodes. Those of a cluster are called at the addresses that they advertise.
  TlsOptions tls;
  // Shown with each call, and with each stream when it begins.
  TokenOptions token;
  // The namespace of the cache that all calls and streams are about; empty: the one that the
  // server's policy binds this client to, or else `default`.
  std::string name_space = {};
  RoutingMode routing = RoutingMode::kByOwner;
  // How long a call may take, its retries included, unless its CallOptions say otherwise. Above 0;
  // more than 24 h counts as 24 h.
  absl::Duration default_timeout = absl::Seconds(1);
  RetryPolicy retry;
  // Connections to each node, 1 to 64. One carries some 70,000 calls a second that are not batched
  // (bench/results/serving.md). The fewer connections, the fuller the batches.
  int channels_per_node = 1;
  // Threads that receive answers and run callbacks, 1 to 64.
  int completion_threads = 1;
  BatchingOptions batching;
};

// Options of one call.
struct CallOptions {
  // How long the call may take, its retries included; absent: ClientOptions::default_timeout. More
  // than 24 h counts as 24 h.
  std::optional<absl::Duration> timeout;
  // When it is cancelled, the call ends with CANCELLED; null: the call has none.
  std::shared_ptr<Cancellation> cancellation;
  // The W3C `traceparent` of the caller, by which the server's slow log names its trace; empty,
  // longer than 256 bytes, or with other bytes than printable ASCII: none is sent.
  std::string traceparent = {};
};

}  // namespace ferrite
