#include "server/cluster/core/txn.h"

#include <utility>

#include "server/cluster/keys.h"

namespace ferrite::cluster {

using etcdserverpb::Compare;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

Compare CreatedAt(std::string_view key, int64_t revision) {
  Compare compare;
  compare.set_target(Compare::CREATE);
  compare.set_key(std::string(key));
  compare.set_create_revision(revision);
  return compare;
}

Compare ModifiedAt(std::string_view key, int64_t revision) {
  Compare compare;
  compare.set_target(Compare::MOD);
  compare.set_key(std::string(key));
  compare.set_mod_revision(revision);
  return compare;
}

Compare NoneModifiedAfter(std::string_view prefix, int64_t revision) {
  Compare compare;
  compare.set_target(Compare::MOD);
  compare.set_result(Compare::LESS);
  compare.set_key(std::string(prefix));
  compare.set_range_end(EndOfPrefix(prefix));
  compare.set_mod_revision(revision + 1);
  return compare;
}

RequestOp Get(std::string_view key) {
  RequestOp operation;
  operation.mutable_request_range()->set_key(std::string(key));
  return operation;
}

RequestOp List(std::string_view prefix, int64_t min_revision) {
  RequestOp operation;
  auto& range = *operation.mutable_request_range();
  range.set_key(std::string(prefix));
  range.set_range_end(EndOfPrefix(prefix));
  range.set_min_mod_revision(min_revision);
  return operation;
}

RequestOp Put(std::string_view key, std::string value, int64_t lease) {
  RequestOp operation;
  auto& put = *operation.mutable_request_put();
  put.set_key(std::string(key));
  put.set_value(std::move(value));
  put.set_lease(lease);
  return operation;
}

RequestOp Delete(std::string_view key) {
  RequestOp operation;
  operation.mutable_request_delete_range()->set_key(std::string(key));
  return operation;
}

namespace {

const RangeResponse* RangeAt(const TxnResponse& response, int place) {
  if (place >= response.responses_size() || !response.responses(place).has_response_range())
    return nullptr;
  return &response.responses(place).response_range();
}

}  // namespace

const RangeResponse* ListAt(const TxnResponse& response, int place, std::string_view prefix) {
  const RangeResponse* range = RangeAt(response, place);
  if (range == nullptr || range->more() || range->count() < range->kvs_size()) return nullptr;
  for (const mvccpb::KeyValue& kv : range->kvs()) {
    if (!std::string_view(kv.key()).starts_with(prefix) || kv.create_revision() <= 0 ||
        kv.mod_revision() < kv.create_revision())
      return nullptr;
  }
  return range;
}

Gotten GetAt(const TxnResponse& response, int place, std::string_view key) {
  const RangeResponse* range = ListAt(response, place, key);
  if (range == nullptr || range->count() != range->kvs_size() || range->kvs_size() > 1) return {};
  if (range->kvs_size() == 0) return {.valid = true};
  if (range->kvs(0).key() != key) return {};
  return {.valid = true, .kv = &range->kvs(0)};
}

void AddMapReading(std::string_view key, int64_t known_epoch, TxnRequest* request, bool success) {
  const auto add = [&] { return success ? request->add_success() : request->add_failure(); };
  RequestOp* epoch = add();
  *epoch = Get(key);
  epoch->mutable_request_range()->set_keys_only(true);
  RequestOp* value = add();
  *value = Get(key);
  value->mutable_request_range()->set_min_mod_revision(known_epoch + 1);
}

std::optional<MapReading> MapReadingAt(const TxnResponse& response, int place,
                                       std::string_view key) {
  const Gotten epoch = GetAt(response, place, key);
  const RangeResponse* value = ListAt(response, place + 1, key);
  if (!epoch.valid || value == nullptr || value->kvs_size() > 1) return std::nullopt;
  if (epoch.kv == nullptr) return MapReading{};
  MapReading reading{.epoch = epoch.kv->mod_revision()};
  if (value->kvs_size() == 1) {
    if (value->kvs(0).key() != key || value->kvs(0).mod_revision() != reading.epoch)
      return std::nullopt;
    reading.value = &value->kvs(0).value();
  }
  return reading;
}

}  // namespace ferrite::cluster
