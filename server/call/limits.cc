#include "server/call/limits.h"

#include "server/call/status.h"
#include "store/operation.h"

namespace ferrite {

absl::Status UnknownValue(std::string_view field, int value,
                          const google::protobuf::EnumDescriptor& type, bool with_zero) {
  std::string allowed;
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& each = *type.value(i);
    if (each.number() == 0 && !with_zero) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += each.name() + " (" + std::to_string(each.number()) + ")";
  }
  return InvalidArgument(
      v1::FIELD_OUT_OF_RANGE,
      std::string(field) + " is " + std::to_string(value) + "; it must be one of " + allowed);
}

absl::Status CheckKey(std::string_view key) {
  if (key.empty()) {
    return InvalidArgument(v1::KEY_EMPTY, "the key is empty; a key has 1 to 4096 bytes");
  }
  if (key.size() > kMaxKeyBytes) {
    return InvalidArgument(
        v1::KEY_TOO_LARGE,
        "the key has " + std::to_string(key.size()) + " bytes; the limit is 4096",
        {{"limit", std::to_string(kMaxKeyBytes)}, {"size", std::to_string(key.size())}});
  }
  return absl::OkStatus();
}

absl::Status CheckTtl(std::string_view field, int64_t ttl_ms) {
  if (ttl_ms >= 1 && ttl_ms <= kMaxTtlMs) return absl::OkStatus();
  return InvalidArgument(v1::TTL_OUT_OF_RANGE,
                         std::string(field) + " is " + std::to_string(ttl_ms) +
                             "; it must be from 1 to " + std::to_string(kMaxTtlMs) + " (100 years)",
                         {{"limit", std::to_string(kMaxTtlMs)}});
}

absl::Status CheckExpireAt(int64_t expire_at_unix_ms, int64_t now_unix_ms) {
  if (expire_at_unix_ms > now_unix_ms && expire_at_unix_ms - now_unix_ms <= kMaxTtlMs)
    return absl::OkStatus();
  return InvalidArgument(
      v1::TTL_OUT_OF_RANGE,
      "expire_at_unix_ms is " + std::to_string(expire_at_unix_ms) +
          "; it must be in the future and at most 100 years away, and the server's time is " +
          std::to_string(now_unix_ms),
      {{"limit", std::to_string(kMaxTtlMs)}, {"now_unix_ms", std::to_string(now_unix_ms)}});
}

absl::Status CheckRequestId(std::string_view request_id) {
  if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return InvalidArgument(
      v1::REQUEST_ID_TOO_LARGE,
      "request_id has " + std::to_string(request_id.size()) + " bytes; the limit is 64",
      {{"limit", std::to_string(kMaxRequestIdBytes)}});
}

absl::Status CheckBatchSize(size_t keys) {
  if (keys == 0) {
    return InvalidArgument(v1::BATCH_EMPTY, "the batch is empty; it takes 1 to 1024 keys");
  }
  if (keys > kMaxBatchKeys) {
    return InvalidArgument(
        v1::BATCH_TOO_LARGE, "the batch has " + std::to_string(keys) + " keys; the limit is 1024",
        {{"limit", std::to_string(kMaxBatchKeys)}, {"size", std::to_string(keys)}});
  }
  return absl::OkStatus();
}

absl::Status CheckFrameSize(size_t operations) {
  if (operations == 0) {
    return InvalidArgument(v1::BATCH_EMPTY, "the frame is empty; it takes 1 to 1024 operations");
  }
  if (operations > kMaxBatchKeys) {
    return InvalidArgument(v1::BATCH_TOO_LARGE,
                           "the frame has more than 1024 operations, which is the limit",
                           {{"limit", std::to_string(kMaxBatchKeys)}});
  }
  return absl::OkStatus();
}

absl::Status CheckKeys(const google::protobuf::RepeatedPtrField<std::string>& keys) {
  absl::Status status = CheckBatchSize(static_cast<size_t>(keys.size()));
  for (int i = 0; status.ok() && i < keys.size(); ++i) {
    status = CheckKey(keys[i]);
    if (!status.ok()) return AtIndex(status, static_cast<size_t>(i));
  }
  return status;
}

absl::Status CheckValueSize(std::string_view field, size_t bytes, size_t max_value_bytes) {
  if (bytes <= max_value_bytes) return absl::OkStatus();
  return InvalidArgument(
      v1::VALUE_TOO_LARGE,
      "the " + std::string(field) + " has " + std::to_string(bytes) + " bytes; the limit is " +
          std::to_string(max_value_bytes) + " (--max-value-bytes)",
      {{"limit", std::to_string(max_value_bytes)}, {"size", std::to_string(bytes)}});
}

absl::Status CheckSet(const v1::SetRequest& request, size_t max_value_bytes) {
  return CheckSet(request, request.value().size(), max_value_bytes);
}

absl::Status CheckSet(const v1::SetRequest& request, size_t value_bytes, size_t max_value_bytes) {
  if (absl::Status status = CheckKey(request.key()); !status.ok()) return status;
  if (absl::Status status = CheckValueSize("value", value_bytes, max_value_bytes); !status.ok()) {
    return status;
  }
  if (request.has_if_version() && request.condition() == v1::SET_CONDITION_ABSENT) {
    return InvalidArgument(
        v1::CONTRADICTION,
        "if_version asks for a key that is there, SET_CONDITION_ABSENT for one that is not");
  }
  if (!v1::SetCondition_IsValid(request.condition())) {
    return UnknownValue("condition", request.condition(), *v1::SetCondition_descriptor());
  }
  if (request.has_ttl_ms()) {
    if (absl::Status status = CheckTtl("ttl_ms", request.ttl_ms()); !status.ok()) return status;
  }
  return CheckRequestId(request.request_id());
}

absl::Status CheckIncr(const v1::IncrRequest& request) {
  if (absl::Status status = CheckKey(request.key()); !status.ok()) return status;
  if (request.has_min() && request.has_max() && request.min() > request.max()) {
    return InvalidArgument(v1::CONTRADICTION, "min is " + std::to_string(request.min()) +
                                                  ", above max, which is " +
                                                  std::to_string(request.max()));
  }
  if (!v1::OverflowPolicy_IsValid(request.overflow())) {
    return UnknownValue("overflow", request.overflow(), *v1::OverflowPolicy_descriptor());
  }
  if (request.has_ttl_ms()) {
    if (absl::Status status = CheckTtl("ttl_ms", request.ttl_ms()); !status.ok()) return status;
  } else if (request.has_initial_ttl_ms()) {
    if (absl::Status status = CheckTtl("initial_ttl_ms", request.initial_ttl_ms()); !status.ok())
      return status;
  }
  return CheckRequestId(request.request_id());
}

}  // namespace ferrite
