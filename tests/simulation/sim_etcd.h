#pragma once

// etcd as far as the cluster uses it: keys with revisions, transactions, leases. One step at a
// time, in memory. A test holds it against a real one.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "etcd/kv.pb.h"
#include "etcd/rpc.pb.h"

namespace ferrite::simulation {

class SimEtcd {
 public:
  // All that it keeps: can be copied, and put back.
  struct State {
    struct LeaseState {
      int64_t ttl_ns = 0;
      int64_t end_ns = 0;
      std::set<std::string> keys;
    };
    uint64_t cluster_id = 0x5eed;
    int64_t revision = 1;
    std::map<std::string, mvccpb::KeyValue> keys;
    std::map<int64_t, LeaseState> leases;
  };

  // Called with each change, right after it.
  void Listen(std::function<void(const mvccpb::Event&)> listener) {
    listener_ = std::move(listener);
  }

  // Each returns whether etcd executed it; if not it has changed nothing, and answers an error.
  bool Txn(const etcdserverpb::TxnRequest& request, etcdserverpb::TxnResponse* response);
  bool Grant(const etcdserverpb::LeaseGrantRequest& request, int64_t now_ns,
             etcdserverpb::LeaseGrantResponse* response);
  bool KeepAlive(const etcdserverpb::LeaseKeepAliveRequest& request, int64_t now_ns,
                 etcdserverpb::LeaseKeepAliveResponse* response);
  bool Revoke(const etcdserverpb::LeaseRevokeRequest& request,
              etcdserverpb::LeaseRevokeResponse* response);

  // Ends leases whose time is over.
  void Expire(int64_t now_ns);
  // Gives all leases their whole time, as a new leader does.
  void RenewAll(int64_t now_ns);

  // For operators: writes and deletes without any comparison.
  void Put(const std::string& key, const std::string& value, int64_t lease = 0);
  bool Delete(const std::string& key);
  const mvccpb::KeyValue* Find(const std::string& key) const;

  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }
  uint64_t txns() const { return txns_; }

 private:
  bool Holds(const etcdserverpb::Compare& compare) const;
  bool Allowed(const etcdserverpb::RequestOp& operation) const;
  void Execute(const etcdserverpb::RequestOp& operation, int64_t revision,
               etcdserverpb::ResponseOp* response);
  void Range(const etcdserverpb::RangeRequest& request,
             etcdserverpb::RangeResponse* response) const;
  void PutAt(const etcdserverpb::PutRequest& request, int64_t revision);
  void DeleteAt(const std::string& key, int64_t revision);
  void FillHeader(etcdserverpb::ResponseHeader* header) const;
  std::pair<std::map<std::string, mvccpb::KeyValue>::const_iterator,
            std::map<std::string, mvccpb::KeyValue>::const_iterator>
  Span(const std::string& key, const std::string& range_end) const;

  State state_;
  std::function<void(const mvccpb::Event&)> listener_ = [](const mvccpb::Event&) {};
  uint64_t txns_ = 0;
};

}  // namespace ferrite::simulation
