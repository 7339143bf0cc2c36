#pragma once

// The one place where an error of Ferrite becomes a status of gRPC.

#include <grpcpp/support/status.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// A status with a text for people and, in its details, a google.rpc.ErrorInfo for programs: domain
// "ferrite", the reason, and facts such as {"limit", "4096"}.
grpc::Status MakeError(grpc::StatusCode code, v1::ErrorReason reason, const std::string& message,
                       std::initializer_list<std::pair<std::string_view, std::string>> facts = {});

// INVALID_ARGUMENT, the most frequent one.
grpc::Status InvalidArgument(
    v1::ErrorReason reason, const std::string& message,
    std::initializer_list<std::pair<std::string_view, std::string>> facts = {});

// The message is none of the type that was expected.
grpc::Status Malformed(const std::string& type);

// A write found no room and nothing could be evicted.
grpc::Status MemoryFull();

// The same error as part of a batch.
v1::OperationError ToOperationError(const grpc::Status& status);

}  // namespace ferrite
