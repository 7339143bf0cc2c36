#pragma once

// An EtcdClient whose calls a test waits for.

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "server/cluster/etcd/etcd_client.h"

namespace ferrite::cluster {

// Long enough for a busy machine; short where a call is expected to get no answer.
inline constexpr std::chrono::seconds kPatience{20};
inline constexpr std::chrono::milliseconds kImpatience{300};

template <typename Request>
std::future<EtcdAnswer<typename EtcdMethod<Request>::Response>> Begin(
    EtcdClient* client, const Request& request, std::chrono::nanoseconds timeout = kPatience) {
  using Answer = EtcdAnswer<typename EtcdMethod<Request>::Response>;
  auto promise = std::make_shared<std::promise<Answer>>();
  auto future = promise->get_future();
  client->Call<Request>(request, timeout,
                        [promise](Answer answer) { promise->set_value(std::move(answer)); });
  return future;
}

template <typename Request>
EtcdAnswer<typename EtcdMethod<Request>::Response> Call(
    EtcdClient* client, const Request& request, std::chrono::nanoseconds timeout = kPatience) {
  return Begin(client, request, timeout).get();
}

inline etcdserverpb::TxnRequest Put(const std::string& key, const std::string& value,
                                    int64_t lease = 0) {
  etcdserverpb::TxnRequest request;
  auto* const put = request.add_success()->mutable_request_put();
  put->set_key(key);
  put->set_value(value);
  put->set_lease(lease);
  return request;
}

inline etcdserverpb::TxnRequest Get(const std::string& key) {
  etcdserverpb::TxnRequest request;
  request.add_success()->mutable_request_range()->set_key(key);
  return request;
}

// The value, or "(none)" if there is no such key, or the error.
inline std::string Read(EtcdClient* client, const std::string& key) {
  const auto answer = Call(client, Get(key));
  if (answer.outcome != EtcdOutcome::kAnswered) return answer.error;
  const auto& range = answer.response.responses(0).response_range();
  return range.kvs().empty() ? "(none)" : range.kvs(0).value();
}

}  // namespace ferrite::cluster
