#pragma once

// The calls to etcd that are under way, and what was known when they were sent.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "server/cluster/core/action.h"
#include "server/cluster/core/moment.h"

namespace ferrite::cluster {

enum class Purpose : uint8_t {
  kGrantLease,
  kKeepLease,
  kRenew,
  kRegister,
  kUpdateRecord,
  kList,
  kCampaign,
  kResign,
  kChangeMap,
  kCollect,
  kRevokeLease,
};

struct SentCall {
  Purpose purpose;
  int64_t sent_ns;
  // The highest that were known when the call was sent: an answer with lower ones is of an etcd
  // that has gone back.
  int64_t revision;
  int64_t epoch;
};

class Calls {
 public:
  explicit Calls(int64_t timeout_ns) : timeout_ns_(timeout_ns) {}

  // The step in which calls are sent from now on.
  void BeginStep(const Moment& now, Actions* actions) {
    now_ns_ = now.steady_ns;
    actions_ = actions;
  }
  void Know(int64_t revision, int64_t epoch) {
    revision_ = std::max(revision_, revision);
    epoch_ = std::max(epoch_, epoch);
  }
  int64_t revision() const { return revision_; }

  // The reply comes to whoever `purpose` stands for. Returns the call's id, which is not 0.
  uint64_t Send(Purpose purpose, AskEtcd::Request request) {
    const uint64_t id = ++last_id_;
    sent_.emplace(id, SentCall{purpose, now_ns_, revision_, epoch_});
    actions_->emplace_back(AskEtcd{id, std::move(request), timeout_ns_});
    return id;
  }

  // The call that this is the reply of; absent if no call waits for it.
  std::optional<SentCall> Take(uint64_t id) {
    const auto node = sent_.extract(id);
    if (node.empty()) return std::nullopt;
    return node.mapped();
  }

 private:
  const int64_t timeout_ns_;
  int64_t now_ns_ = 0;
  Actions* actions_ = nullptr;
  int64_t revision_ = 0;
  int64_t epoch_ = 0;
  uint64_t last_id_ = 0;
  std::map<uint64_t, SentCall> sent_;
};

}  // namespace ferrite::cluster
