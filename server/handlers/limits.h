#pragma once

// The limits of the wire contract (cache.proto) and the checks that hold every request to them.

#include <grpcpp/support/status.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

inline constexpr size_t kMaxBatchKeys = 1024;
inline constexpr size_t kMaxReplyBytes = (size_t{7} << 20) / 2;
inline constexpr size_t kMaxRequestIdBytes = 64;

// OK, or INVALID_ARGUMENT with the limit in the text.
grpc::Status CheckKey(std::string_view key);
grpc::Status CheckTtl(std::string_view field, int64_t ttl_ms);
grpc::Status CheckRequestId(std::string_view request_id);
grpc::Status CheckBatchSize(size_t keys);
grpc::Status CheckFrameSize(size_t operations);
grpc::Status CheckValueSize(std::string_view field, size_t bytes, size_t max_value_bytes);
grpc::Status CheckSet(const v1::SetRequest& request, size_t max_value_bytes);
grpc::Status CheckIncr(const v1::IncrRequest& request);

// Holds only for this moment, unlike the others: CheckSet leaves it to the moment of the write.
grpc::Status CheckExpireAt(int64_t expire_at_unix_ms, int64_t now_unix_ms);

// The size of a batch and each of its keys.
grpc::Status CheckKeys(const google::protobuf::RepeatedPtrField<std::string>& keys);

}  // namespace ferrite
