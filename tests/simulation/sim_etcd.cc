#include "tests/simulation/sim_etcd.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ferrite::simulation {

using etcdserverpb::Compare;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using mvccpb::KeyValue;

void SimEtcd::FillHeader(etcdserverpb::ResponseHeader* header) const {
  header->set_cluster_id(state_.cluster_id);
  header->set_member_id(1);
  header->set_revision(state_.revision);
  header->set_raft_term(2);
}

std::pair<std::map<std::string, KeyValue>::const_iterator,
          std::map<std::string, KeyValue>::const_iterator>
SimEtcd::Span(const std::string& key, const std::string& range_end) const {
  if (!range_end.empty())
    return {state_.keys.lower_bound(key), state_.keys.lower_bound(std::max(key, range_end))};
  const auto found = state_.keys.find(key);
  return {found, found == state_.keys.end() ? found : std::next(found)};
}

bool SimEtcd::Holds(const Compare& compare) const {
  const auto holds = [&compare](const KeyValue& kv) {
    int order = 0;
    const auto numbers = [&order](int64_t stored, int64_t given) {
      order = stored < given ? -1 : stored > given ? 1 : 0;
    };
    switch (compare.target()) {
      case Compare::VERSION:
        numbers(kv.version(), compare.version());
        break;
      case Compare::CREATE:
        numbers(kv.create_revision(), compare.create_revision());
        break;
      case Compare::MOD:
        numbers(kv.mod_revision(), compare.mod_revision());
        break;
      case Compare::LEASE:
        numbers(kv.lease(), compare.lease());
        break;
      case Compare::VALUE:
        order = kv.value().compare(compare.value());
        break;
      default:
        return false;
    }
    switch (compare.result()) {
      case Compare::EQUAL:
        return order == 0;
      case Compare::NOT_EQUAL:
        return order != 0;
      case Compare::GREATER:
        return order > 0;
      case Compare::LESS:
        return order < 0;
      default:
        return true;
    }
  };
  const auto [begin, end] = Span(compare.key(), compare.range_end());
  if (begin == end) return compare.target() != Compare::VALUE && holds(KeyValue());
  return std::all_of(begin, end, [&](const auto& entry) { return holds(entry.second); });
}

bool SimEtcd::Allowed(const RequestOp& operation) const {
  if (!operation.has_request_put()) return true;
  const int64_t lease = operation.request_put().lease();
  return lease == 0 || state_.leases.contains(lease);
}

bool SimEtcd::Txn(const etcdserverpb::TxnRequest& request, etcdserverpb::TxnResponse* response) {
  ++txns_;
  const bool succeeded = std::all_of(request.compare().begin(), request.compare().end(),
                                     [this](const Compare& compare) { return Holds(compare); });
  const auto& operations = succeeded ? request.success() : request.failure();
  for (const RequestOp& operation : operations) {
    if (!Allowed(operation)) return false;
  }
  const int64_t before = state_.revision;
  for (const RequestOp& operation : operations)
    Execute(operation, before + 1, response->add_responses());
  response->set_succeeded(succeeded);
  FillHeader(response->mutable_header());
  return true;
}

void SimEtcd::Execute(const RequestOp& operation, int64_t revision,
                      etcdserverpb::ResponseOp* response) {
  switch (operation.request_case()) {
    case RequestOp::kRequestRange:
      Range(operation.request_range(), response->mutable_response_range());
      break;
    case RequestOp::kRequestPut:
      response->mutable_response_put();
      PutAt(operation.request_put(), revision);
      break;
    case RequestOp::kRequestDeleteRange: {
      const auto& request = operation.request_delete_range();
      std::vector<std::string> keys;
      const auto [begin, end] = Span(request.key(), request.range_end());
      for (auto entry = begin; entry != end; ++entry) keys.push_back(entry->first);
      for (const std::string& key : keys) DeleteAt(key, revision);
      response->mutable_response_delete_range()->set_deleted(static_cast<int64_t>(keys.size()));
      break;
    }
    default:
      break;
  }
}

void SimEtcd::Range(const RangeRequest& request, RangeResponse* response) const {
  const auto [begin, end] = Span(request.key(), request.range_end());
  for (auto entry = begin; entry != end; ++entry) {
    response->set_count(response->count() + 1);
    if (request.count_only() || entry->second.mod_revision() < request.min_mod_revision()) continue;
    KeyValue* kv = response->add_kvs();
    *kv = entry->second;
    if (request.keys_only()) kv->clear_value();
  }
}

void SimEtcd::PutAt(const etcdserverpb::PutRequest& request, int64_t revision) {
  state_.revision = revision;
  KeyValue& kv = state_.keys[request.key()];
  if (kv.create_revision() == 0) kv.set_create_revision(revision);
  if (kv.lease() != 0) state_.leases[kv.lease()].keys.erase(request.key());
  kv.set_key(request.key());
  kv.set_mod_revision(revision);
  kv.set_version(kv.version() + 1);
  kv.set_value(request.value());
  kv.set_lease(request.lease());
  if (request.lease() != 0) state_.leases.at(request.lease()).keys.insert(request.key());
  mvccpb::Event event;
  *event.mutable_kv() = kv;
  listener_(event);
}

void SimEtcd::DeleteAt(const std::string& key, int64_t revision) {
  const auto found = state_.keys.find(key);
  if (found == state_.keys.end()) return;
  state_.revision = revision;
  if (found->second.lease() != 0) state_.leases[found->second.lease()].keys.erase(key);
  state_.keys.erase(found);
  mvccpb::Event event;
  event.set_type(mvccpb::Event::DELETE);
  event.mutable_kv()->set_key(key);
  event.mutable_kv()->set_mod_revision(revision);
  listener_(event);
}

bool SimEtcd::Grant(const etcdserverpb::LeaseGrantRequest& request, int64_t now_ns,
                    etcdserverpb::LeaseGrantResponse* response) {
  if (state_.leases.contains(request.id())) return false;
  const int64_t ttl_ns = request.ttl() * 1'000'000'000;
  state_.leases[request.id()] = {.ttl_ns = ttl_ns, .end_ns = now_ns + ttl_ns};
  response->set_id(request.id());
  response->set_ttl(request.ttl());
  FillHeader(response->mutable_header());
  return true;
}

bool SimEtcd::KeepAlive(const etcdserverpb::LeaseKeepAliveRequest& request, int64_t now_ns,
                        etcdserverpb::LeaseKeepAliveResponse* response) {
  response->set_id(request.id());
  FillHeader(response->mutable_header());
  const auto lease = state_.leases.find(request.id());
  if (lease == state_.leases.end()) return true;  // with a TTL of 0
  lease->second.end_ns = now_ns + lease->second.ttl_ns;
  response->set_ttl(lease->second.ttl_ns / 1'000'000'000);
  return true;
}

bool SimEtcd::Revoke(const etcdserverpb::LeaseRevokeRequest& request,
                     etcdserverpb::LeaseRevokeResponse* response) {
  const auto lease = state_.leases.find(request.id());
  if (lease == state_.leases.end()) return false;
  const std::set<std::string> keys = lease->second.keys;
  const int64_t revision = state_.revision + 1;
  for (const std::string& key : keys) DeleteAt(key, revision);
  state_.leases.erase(request.id());
  FillHeader(response->mutable_header());
  return true;
}

void SimEtcd::Expire(int64_t now_ns) {
  std::vector<int64_t> over;
  for (const auto& [id, lease] : state_.leases) {
    if (lease.end_ns <= now_ns) over.push_back(id);
  }
  for (const int64_t id : over) {
    etcdserverpb::LeaseRevokeRequest request;
    request.set_id(id);
    etcdserverpb::LeaseRevokeResponse response;
    Revoke(request, &response);
  }
}

void SimEtcd::RenewAll(int64_t now_ns) {
  for (auto& [id, lease] : state_.leases) lease.end_ns = now_ns + lease.ttl_ns;
}

void SimEtcd::Put(const std::string& key, const std::string& value, int64_t lease) {
  etcdserverpb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  request.set_lease(state_.leases.contains(lease) ? lease : 0);
  PutAt(request, state_.revision + 1);
}

bool SimEtcd::Delete(const std::string& key) {
  const bool found = state_.keys.contains(key);
  DeleteAt(key, state_.revision + 1);
  return found;
}

const KeyValue* SimEtcd::Find(const std::string& key) const {
  const auto found = state_.keys.find(key);
  return found == state_.keys.end() ? nullptr : &found->second;
}

}  // namespace ferrite::simulation
