#pragma once

// The limits of the wire contract (cache.proto) and the checks that hold every request to them.

#include "absl/status/status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

inline constexpr size_t kMaxBatchKeys = 1024;
inline constexpr size_t kMaxReplyBytes = (size_t{7} << 20) / 2;
inline constexpr size_t kMaxRequestIdBytes = 64;

// INVALID_ARGUMENT (FIELD_OUT_OF_RANGE) with the values of `type` that the field may have.
absl::Status UnknownValue(std::string_view field, int value,
                          const google::protobuf::EnumDescriptor& type, bool with_zero = true);

// OK, or INVALID_ARGUMENT with the limit in the text.
absl::Status CheckKey(std::string_view key);
absl::Status CheckTtl(std::string_view field, int64_t ttl_ms);
absl::Status CheckRequestId(std::string_view request_id);
absl::Status CheckBatchSize(size_t keys);
absl::Status CheckFrameSize(size_t operations);
absl::Status CheckValueSize(std::string_view field, size_t bytes, size_t max_value_bytes);
absl::Status CheckSet(const v1::SetRequest& request, size_t max_value_bytes);
// Of a request whose value, of so many bytes, lies elsewhere.
absl::Status CheckSet(const v1::SetRequest& request, size_t value_bytes, size_t max_value_bytes);
absl::Status CheckIncr(const v1::IncrRequest& request);

// Holds only for this moment, unlike the others: CheckSet leaves it to the moment of the write.
absl::Status CheckExpireAt(int64_t expire_at_unix_ms, int64_t now_unix_ms);

// The size of a batch and each of its keys.
absl::Status CheckKeys(const google::protobuf::RepeatedPtrField<std::string>& keys);

}  // namespace ferrite
