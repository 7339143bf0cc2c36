#include "server/handlers/cache_handlers.h"

#include <optional>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/events/subscription_request.h"
#include "server/handlers/read_result.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

void Count(CacheOutcome outcome) { ThreadCounters::Current().Count(outcome); }

absl::Status CountedMemoryFull(const Store& store) {
  ThreadCounters::Current().Count(ShedReason::kMemory);
  return MemoryFull(store.max_memory_bytes());
}

Expiry ExpiryOf(const v1::SetRequest& request, const Expiry& otherwise) {
  switch (request.expiry_case()) {
    case v1::SetRequest::kTtlMs:
      return Expiry::After(request.ttl_ms());
    case v1::SetRequest::kExpireAtUnixMs:
      return Expiry::At(request.expire_at_unix_ms());
    case v1::SetRequest::kKeepTtl:
      return request.keep_ttl() ? Expiry::Keep() : otherwise;
    case v1::SetRequest::EXPIRY_NOT_SET:
      break;
  }
  return otherwise;
}

IncrOptions OptionsOf(const v1::IncrRequest& request, const Expiry& of_new) {
  IncrOptions options;
  if (request.has_delta()) options.delta = request.delta();
  if (request.has_initial()) options.initial = request.initial();
  if (request.has_min()) options.min = request.min();
  if (request.has_max()) options.max = request.max();
  options.saturate = request.overflow() == v1::OVERFLOW_POLICY_SATURATE;
  if (request.has_ttl_ms()) options.expiry = Expiry::After(request.ttl_ms());
  if (request.has_initial_ttl_ms()) {
    options.expiry = Expiry::After(request.initial_ttl_ms());
    options.expiry_only_if_created = true;
  }
  if (!options.expiry.IsSet() && of_new.IsSet()) {
    options.expiry = of_new;
    options.expiry_only_if_created = true;
  }
  return options;
}

// The bound that a step is stopped by.
std::string BoundOf(const IncrOptions& options) {
  return options.delta < 0 ? "below min, " + std::to_string(options.min)
                           : "above max, " + std::to_string(options.max);
}

}  // namespace

SetOptions CacheHandlers::OptionsOf(const v1::SetRequest& request) const {
  SetOptions options;
  options.expiry = ExpiryOf(request, default_expiry());
  if (request.condition() == v1::SET_CONDITION_ABSENT) options.presence = Presence::kAbsent;
  if (request.condition() == v1::SET_CONDITION_PRESENT) options.presence = Presence::kPresent;
  if (request.has_if_version()) options.if_version = request.if_version();
  options.return_previous = request.return_previous();
  return options;
}

absl::Status CacheHandlers::Get(const v1::GetRequest& request, v1::GetResponse* response) {
  thread_local ReadResult result;  // its buffer serves the thread's next call
  if (absl::Status status = Read(request, &result); !status.ok()) return status;
  if (result.found) {
    response->set_found(true);
    response->set_not_modified(result.not_modified);
    FillEntry(result, response);
  }
  result.value.Clear();  // no reference to a large value outlives the call
  return absl::OkStatus();
}

absl::Status CacheHandlers::Read(const v1::GetRequest& request, ReadResult* result) {
  if (absl::Status status = CheckKey(request.key()); !status.ok()) return status;
  GetOptions options;
  if (request.has_touch_ttl_ms()) {
    if (absl::Status status = CheckTtl("touch_ttl_ms", request.touch_ttl_ms()); !status.ok())
      return status;
    options.touch_ttl_ms = request.touch_ttl_ms();
  }
  if (request.has_if_version_not()) options.if_version_not = request.if_version_not();
  store_.Get(request.key(), options, result);
  Count(result->found ? CacheOutcome::kGetHit : CacheOutcome::kGetMiss);
  return absl::OkStatus();
}

absl::Status CacheHandlers::Set(const v1::SetRequest& request, v1::SetResponse* response) {
  if (absl::Status status = CheckSet(request, max_value_bytes_); !status.ok()) return status;
  return SetChecked(request, response);
}

absl::Status CacheHandlers::SetLarge(const LargeSet& set, RoomReservation* room,
                                     v1::SetResponse* response) {
  const v1::SetRequest& request = set.head();
  if (absl::Status status = CheckSet(request, set.value().size(), max_value_bytes_); !status.ok()) {
    return status;
  }
  return replays_.Once(request.request_id(), set.request_hash(), response, [&] {
    if (absl::Status status = CheckNotPast(request); !status.ok()) return status;
    const SetOptions options = OptionsOf(request);
    return FillAndCountSet(room == nullptr ? store_.Set(request.key(), set.value(), options)
                                           : store_.Set(request.key(), room, options),
                           response);
  });
}

bool CacheHandlers::NeedsRoom(const LargeSet& set) {
  const v1::SetRequest& request = set.head();
  if (set.value().size() < RoomReservation::kWorthwhileBytes) return false;
  if (!CheckSet(request, set.value().size(), max_value_bytes_).ok() ||
      replays_.Knows(request.request_id())) {
    return false;
  }
  if (!OptionsOf(request).HasCondition()) return true;
  ReadResult now;
  store_.Peek(request.key(), false, &now);
  return OptionsOf(request).AllowedBy(now.found, now.version);
}

size_t CacheHandlers::RoomFor(const v1::MSetRequest& request) {
  std::vector<SetItem> items;
  items.reserve(static_cast<size_t>(request.entries_size()));
  for (const v1::SetRequest& entry : request.entries()) AddItem(entry, &items);
  return RoomReservation::BytesFor(&store_, items);
}

void CacheHandlers::AddItem(const v1::SetRequest& request, std::vector<SetItem>* items) {
  if (!replays_.Knows(request.request_id())) items->push_back(ItemOf(request));
}

absl::Status CacheHandlers::CheckNotPast(const v1::SetRequest& request) const {
  if (!request.has_expire_at_unix_ms()) return absl::OkStatus();
  return CheckExpireAt(request.expire_at_unix_ms(), clock_.UnixMs());
}

absl::Status CacheHandlers::SetChecked(const v1::SetRequest& request, v1::SetResponse* response) {
  return replays_.Once(request.request_id(), request, response, [&] {
    // Here and not before: a repeated call answers what it answered first, though its time is past.
    if (absl::Status status = CheckNotPast(request); !status.ok()) return status;
    return FillAndCountSet(store_.Set(request.key(), request.value(), OptionsOf(request)),
                           response);
  });
}

SetItem CacheHandlers::ItemOf(const v1::SetRequest& request) const {
  return {request.key(), request.value(), OptionsOf(request)};
}

absl::Status CacheHandlers::FillAndCountSet(const SetResult& result, v1::SetResponse* response) {
  if (result.outcome == SetOutcome::kMemoryFull) return CountedMemoryFull(store_);
  const bool stored = result.outcome == SetOutcome::kStored;
  Count(stored ? CacheOutcome::kSetStored : CacheOutcome::kSetConditionFailed);
  response->set_stored(stored);
  response->set_version(result.version);
  if (result.previous.found) FillEntry(result.previous, response->mutable_previous());
  return absl::OkStatus();
}

absl::Status CacheHandlers::Delete(const v1::DeleteRequest& request, v1::DeleteResponse* response) {
  if (absl::Status status = CheckKey(request.key()); !status.ok()) return status;
  std::optional<uint64_t> if_version;
  if (request.has_if_version()) if_version = request.if_version();
  const DeleteResult result = store_.Delete(request.key(), if_version);
  Count(result.deleted ? CacheOutcome::kDeleteDeleted : CacheOutcome::kDeleteMiss);
  response->set_deleted(result.deleted);
  response->set_version(result.version);
  return absl::OkStatus();
}

absl::Status CacheHandlers::Touch(const v1::TouchRequest& request, v1::TouchResponse* response) {
  if (absl::Status status = CheckKey(request.key()); !status.ok()) return status;
  std::optional<Expiry> expiry;
  if (request.has_ttl_ms()) {
    if (absl::Status status = CheckTtl("ttl_ms", request.ttl_ms()); !status.ok()) return status;
    expiry = Expiry::After(request.ttl_ms());
  } else if (request.has_expire_at_unix_ms()) {
    const int64_t at = request.expire_at_unix_ms();
    if (absl::Status status = CheckExpireAt(at, clock_.UnixMs()); !status.ok()) return status;
    expiry = Expiry::At(at);
  } else if (request.persist()) {
    expiry = Expiry::Never();
  }
  const TouchResult result = store_.Touch(request.key(), expiry);
  Count(result.found ? CacheOutcome::kTouchHit : CacheOutcome::kTouchMiss);
  if (!result.found) return absl::OkStatus();
  response->set_found(true);
  response->set_version(result.version);
  if (result.ttl_ms.has_value()) response->set_ttl_ms(*result.ttl_ms);
  return absl::OkStatus();
}

absl::Status CacheHandlers::Exists(const v1::ExistsRequest& request, v1::ExistsResponse* response) {
  if (absl::Status status = CheckKeys(request.keys()); !status.ok()) return status;
  for (const std::string& key : request.keys()) {
    const bool exists = store_.Exists(key);
    Count(exists ? CacheOutcome::kExistsHit : CacheOutcome::kExistsMiss);
    response->add_exists(exists);
  }
  return absl::OkStatus();
}

absl::Status CacheHandlers::ExistsOne(const v1::ExistsRequest& request,
                                      v1::ExistsResponse* response) {
  if (request.keys_size() > 1) {
    return InvalidArgument(v1::BATCH_TOO_LARGE,
                           "an exists in a frame has exactly one key; this one has " +
                               std::to_string(request.keys_size()),
                           {{"limit", "1"}, {"size", std::to_string(request.keys_size())}});
  }
  return Exists(request, response);
}

absl::Status CacheHandlers::Incr(const v1::IncrRequest& request, v1::IncrResponse* response) {
  if (absl::Status status = CheckIncr(request); !status.ok()) return status;
  return replays_.Once(request.request_id(), request, response, [&] {
    const IncrOptions options = ferrite::OptionsOf(request, default_expiry());
    const IncrResult result = store_.Incr(request.key(), options);
    switch (result.outcome) {
      case IncrOutcome::kMemoryFull:
        return CountedMemoryFull(store_);
      case IncrOutcome::kNotACounter:
        return MakeError(absl::StatusCode::kFailedPrecondition, v1::NOT_A_COUNTER,
                         "the value is not a decimal int64; nothing was changed");
      case IncrOutcome::kOutOfRange:
        return MakeError(absl::StatusCode::kOutOfRange, v1::COUNTER_OUT_OF_RANGE,
                         "a step of " + std::to_string(options.delta) + " from " +
                             std::to_string(result.value) + " would go " + BoundOf(options) +
                             "; nothing was changed",
                         {{"value", std::to_string(result.value)},
                          {"min", std::to_string(options.min)},
                          {"max", std::to_string(options.max)}});
      case IncrOutcome::kDone:
        break;
    }
    Count(result.created ? CacheOutcome::kIncrCreated : CacheOutcome::kIncrUpdated);
    response->set_value(result.value);
    response->set_version(result.version);
    if (result.ttl_ms.has_value()) response->set_ttl_ms(*result.ttl_ms);
    response->set_created(result.created);
    response->set_saturated(result.saturated);
    return absl::OkStatus();
  });
}

absl::Status CacheHandlers::Publish(const v1::PublishRequest& request,
                                    v1::PublishResponse* response) {
  response->Clear();
  if (absl::Status status = CheckChannel(request.channel()); !status.ok()) return status;
  if (absl::Status status = CheckValueSize("payload", request.payload().size(), max_value_bytes_);
      !status.ok()) {
    return status;
  }
  const PublishResult result = events_.Publish(request.channel(), request.payload());
  response->set_receivers(result.receivers);
  response->set_sequence(result.sequence);
  return absl::OkStatus();
}

absl::Status CacheHandlers::Execute(const v1::Operation& operation, v1::OperationResult* result) {
  switch (operation.operation_case()) {
    case v1::Operation::kGet:
      return Get(operation.get(), result->mutable_get());
    case v1::Operation::kSet:
      return Set(operation.set(), result->mutable_set());
    case v1::Operation::kDelete:
      return Delete(operation.delete_(), result->mutable_delete_());
    case v1::Operation::kTouch:
      return Touch(operation.touch(), result->mutable_touch());
    case v1::Operation::kIncr:
      return Incr(operation.incr(), result->mutable_incr());
    case v1::Operation::kPublish:
      return Publish(operation.publish(), result->mutable_publish());
    case v1::Operation::kExists:
      return ExistsOne(operation.exists(), result->mutable_exists());
    case v1::Operation::OPERATION_NOT_SET:
      break;
  }
  return UnknownOperation();
}

}  // namespace ferrite
