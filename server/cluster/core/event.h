#pragma once

// What happens to the core.

#include <cstdint>
#include <string>
#include <variant>

#include "etcd/kv.pb.h"
#include "etcd/rpc.pb.h"

namespace ferrite::cluster {

// Time has passed; to be given when Core::next_wakeup_ns() has come.
struct Tick {};

// The end of a call that was asked for (AskEtcd). Each gets one; later ones are ignored.
struct EtcdReply {
  enum class Outcome {
    kAnswered,     // with `response`
    kNotExecuted,  // certainly: it was not sent, or etcd refused it
    kUnknown,      // it may have been executed, or may still be: no answer within its time
  };
  using Response =
      std::variant<std::monostate, etcdserverpb::TxnResponse, etcdserverpb::LeaseGrantResponse,
                   etcdserverpb::LeaseKeepAliveResponse, etcdserverpb::LeaseRevokeResponse>;

  uint64_t call = 0;
  Outcome outcome = Outcome::kUnknown;
  Response response;
  std::string error;  // for people, unless it was answered
};

// The watch has told something of the cluster's keys; an empty event: it may have missed some. It
// may be late, old or made up: it only makes the core look sooner.
struct WatchHint {
  mvccpb::Event event;
};

// The store holds nothing any more of what a Drop named, and no call that began before it was
// ordered is still at work on it.
struct Dropped {
  uint64_t drop = 0;
};

// What an operator wants, or the process itself.
enum class Wish {
  kDrain,      // give this node's slots to others
  kStay,       // no longer
  kRebalance,  // make the slots even now, without waiting for things to settle
  kLeave,      // the process ends: serve nothing from now on, and let the lease go
};

using Event = std::variant<Tick, EtcdReply, WatchHint, Dropped, Wish>;

}  // namespace ferrite::cluster
