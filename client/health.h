#pragma once

// The messages of grpc.health.v1.Health/Check. Debian's gRPC ships the service but not its
// generated code. The request is one string and the response one enum, each field 1: on the wire
// exactly what these two well-known types are.

#include "google/protobuf/wrappers.pb.h"

namespace ferrite {

using HealthRequest = google::protobuf::StringValue;
using HealthResponse = google::protobuf::Int32Value;

// HealthCheckResponse.ServingStatus.
inline constexpr int kHealthServing = 1;

}  // namespace ferrite
