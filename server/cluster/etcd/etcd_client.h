#pragma once

// Speaks to etcd: calls that each end with one answer, and a watch that only gives hints.
//
// A call goes to the member that answered last. If it certainly was not executed because the member
// could not be reached, the next one is asked within the same time, until all were. A call that may
// have been executed is never repeated. After an error, and after silence, the next member is
// asked. gRPC reconnects to members that were lost, after 0.1 to 2 s, with jitter.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/cluster/etcd/endpoints.h"
#include "server/cluster/etcd/etcd_answer.h"
#include "server/cluster/etcd/etcd_method.h"
#include "server/cluster/etcd/etcd_tally.h"
#include "server/cluster/etcd/etcd_thread.h"

namespace ferrite::cluster {

struct EtcdOptions {
  std::vector<std::string> endpoints;  // HOST:PORT; at least one
  DialCredentials credentials = {};
  uint64_t random_seed = 0;  // for what should differ from node to node
};

// Thread-safe.
class EtcdClient {
 public:
  template <typename Request>
  using Done = std::function<void(EtcdAnswer<typename EtcdMethod<Request>::Response>)>;
  // Called with an empty event when the watch has begun, or begun anew: something may have been
  // missed.
  using Hint = std::function<void(const mvccpb::Event& event)>;

  explicit EtcdClient(const EtcdOptions& options);
  // Ends all calls, and returns when each has been told its end.
  ~EtcdClient();

  // Calls `done` once, after `timeout` at the latest: on the client's thread, which it must not
  // hold up, or, if no member can be reached, from within.
  template <typename Request>
  void Call(const Request& request, std::chrono::nanoseconds timeout, Done<Request> done);

  // Watches the keys from `key` up to `range_end` for as long as the client lives, and calls `hint`
  // on the client's thread. A stream that ends, for whatever reason, is begun anew. At most once.
  void Watch(const std::string& key, const std::string& range_end, Hint hint);

  const EtcdTally& tally() const { return tally_; }
  // The member that is asked, as HOST:PORT.
  const std::string& member() const { return endpoints_.address(endpoints_.current()); }

 private:
  EtcdTally tally_;
  Endpoints endpoints_;
  const uint64_t random_seed_;
  EtcdThread thread_;  // last: calls use the others until it has closed
};

}  // namespace ferrite::cluster
