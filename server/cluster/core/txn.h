#pragma once

// The parts of transactions, and how their answers are read. Whoever answers may send anything, so
// each reader says when it is not the answer to what was asked.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "etcd/rpc.pb.h"

namespace ferrite::cluster {

// The key came into being in this revision; 0: there is no such key.
etcdserverpb::Compare CreatedAt(std::string_view key, int64_t revision);
// The key was written last in this revision; 0: there is no such key.
etcdserverpb::Compare ModifiedAt(std::string_view key, int64_t revision);
// No key that starts with `prefix` was written after this revision.
etcdserverpb::Compare NoneModifiedAfter(std::string_view prefix, int64_t revision);

etcdserverpb::RequestOp Get(std::string_view key);
// All keys that start with `prefix`; with `min_revision`, those that were written in it or later.
etcdserverpb::RequestOp List(std::string_view prefix, int64_t min_revision = 0);
etcdserverpb::RequestOp Put(std::string_view key, std::string value, int64_t lease = 0);
etcdserverpb::RequestOp Delete(std::string_view key);

// The answer to the List that was the transaction's operation at `place`; null if that is none.
const etcdserverpb::RangeResponse* ListAt(const etcdserverpb::TxnResponse& response, int place,
                                          std::string_view prefix);
// Likewise to a Get: `found` is false if that is no answer; `kv` is null if there is no such key.
struct Gotten {
  bool valid = false;
  const mvccpb::KeyValue* kv = nullptr;
};
Gotten GetAt(const etcdserverpb::TxnResponse& response, int place, std::string_view key);

// The map as a transaction has read it.
struct MapReading {
  int64_t epoch = 0;                   // 0: there is no map
  const std::string* value = nullptr;  // null: as old as that of `known_epoch`
};
// Two operations that read the map: its epoch, and its value if that is newer than known.
void AddMapReading(std::string_view key, int64_t known_epoch, etcdserverpb::TxnRequest* request,
                   bool success);
// Absent if what is at `place` and behind it is no such answer.
std::optional<MapReading> MapReadingAt(const etcdserverpb::TxnResponse& response, int place,
                                       std::string_view key);

}  // namespace ferrite::cluster
