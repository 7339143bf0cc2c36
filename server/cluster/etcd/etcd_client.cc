#include "server/cluster/etcd/etcd_client.h"

#include <memory>
#include <type_traits>

#include "server/cluster/etcd/etcd_call.h"
#include "server/cluster/etcd/watch_stream.h"

namespace ferrite::cluster {

EtcdClient::EtcdClient(const EtcdOptions& options)
    : endpoints_(options.endpoints, options.credentials, static_cast<size_t>(options.random_seed)),
      random_seed_(options.random_seed) {}

EtcdClient::~EtcdClient() = default;

template <typename Request>
void EtcdClient::Call(const Request& request, std::chrono::nanoseconds timeout,
                      Done<Request> done) {
  constexpr bool kIsStream = std::is_same_v<Request, etcdserverpb::LeaseKeepAliveRequest>;
  using Kind = std::conditional_t<kIsStream, EtcdStreamCall<Request>, EtcdUnaryCall<Request>>;
  typename EtcdCall<Request>::Terms terms = {request, std::chrono::steady_clock::now() + timeout,
                                             std::move(done), endpoints_.size()};
  (new Kind({&thread_, &endpoints_, &tally_}, std::move(terms)))->Begin();  // it owns itself
}

template void EtcdClient::Call(const etcdserverpb::TxnRequest&, std::chrono::nanoseconds,
                               Done<etcdserverpb::TxnRequest>);
template void EtcdClient::Call(const etcdserverpb::LeaseGrantRequest&, std::chrono::nanoseconds,
                               Done<etcdserverpb::LeaseGrantRequest>);
template void EtcdClient::Call(const etcdserverpb::LeaseKeepAliveRequest&, std::chrono::nanoseconds,
                               Done<etcdserverpb::LeaseKeepAliveRequest>);
template void EtcdClient::Call(const etcdserverpb::LeaseRevokeRequest&, std::chrono::nanoseconds,
                               Done<etcdserverpb::LeaseRevokeRequest>);

void EtcdClient::Watch(const std::string& key, const std::string& range_end, Hint hint) {
  auto terms = std::make_shared<WatchTerms>();
  terms->parts = {&thread_, &endpoints_, &tally_};
  terms->key = key;
  terms->range_end = range_end;
  terms->hint = std::move(hint);
  terms->random.seed(static_cast<uint32_t>(random_seed_ % 2147483646 + 1));
  WatchStream::Begin(std::move(terms));
}

}  // namespace ferrite::cluster
