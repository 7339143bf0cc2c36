#pragma once

// What the core wants done, in this order.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "etcd/rpc.pb.h"
#include "server/cluster/view.h"

namespace ferrite::cluster {

// Make this call to etcd. The driver tells the end of each by one EtcdReply, kUnknown at the latest
// when the time is over.
struct AskEtcd {
  using Request =
      std::variant<etcdserverpb::TxnRequest, etcdserverpb::LeaseGrantRequest,
                   etcdserverpb::LeaseKeepAliveRequest, etcdserverpb::LeaseRevokeRequest>;

  uint64_t id = 0;
  Request request;
  int64_t timeout_ns = 0;
};

// Publish the view, then set the end of the right to serve. Calls to etcd that follow go out only
// when that is done.
struct Serve {
  std::shared_ptr<const ClusterView> view;  // null: as before
  int64_t right_end_ns = 0;                 // 0: at once
};

struct SlotSpan {
  uint32_t first = 0;
  uint32_t last = 0;  // belongs to it
  bool operator==(const SlotSpan&) const = default;
};

// Take what is held of these slots out of the store; they are not served until that is told
// (Dropped). It begins when no call that began under an older view than the last is at work.
struct Drop {
  uint64_t id = 0;
  std::vector<SlotSpan> spans;
};

// From now on versions of keys that are absent begin above this one.
struct RaiseFloor {
  uint64_t version = 0;
};

// From now on no version is above this one, except those that exceed the key's last, or the floor,
// by 1.
struct LimitVersions {
  uint64_t version = 0;
};

enum class Problem {
  kIdTaken,         // another process has this node's id
  kForeign,         // etcd is not what it was: nothing is served until the process is started again
  kMapBroken,       // the map cannot be read; nothing is served until it can
  kMapTooNew,       // the map is of a newer version of Ferrite; nothing is served until it is not
  kMapTooLarge,     // the map cannot be changed, as it would exceed etcd's limits
  kRecordBroken,    // what a node says of itself cannot be read
  kCeilingMissing,  // what a node that is gone could have given as versions is not known
  kEtcdGarbage,     // etcd gives answers that are none
  kEtcdSilent,      // etcd does not answer
  kClockOff,        // the wall clock of a node differs from that of this one
};

// A problem has come up, has changed, or is over.
struct Report {
  Problem problem;
  std::string text;  // empty: it is over
};

// All slots have gone to others; the process may end.
struct Drained {};

using Action = std::variant<AskEtcd, Serve, Drop, RaiseFloor, LimitVersions, Report, Drained>;
using Actions = std::vector<Action>;

}  // namespace ferrite::cluster
