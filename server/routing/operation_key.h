#pragma once

// The key that a request or an operation is about, found without making a message of it.

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "proto/wire/frame_operation.h"
#include "server/call/method.h"
#include "server/call/request.h"

namespace ferrite {

struct RequestKey {
  // If not, the request has to be refused: whoever parses it might find another key.
  bool well_formed = false;
  // Empty if there is none of a length that is allowed: then any node refuses the request.
  std::string_view key;
  bool has_request_id = false;
};

// Of a serialized request about one key; of a PublishRequest, the channel.
RequestKey KeyOfRequest(std::string_view request);

// A field of a request, as far as it is short.
struct ShortField {
  int number = 0;
  bool is_integer = false;  // or an enum or a boolean
  bool is_bytes = false;    // or a string or a message
  uint64_t integer = 0;
  std::string_view bytes;  // empty if there are more than a key may have
};
// Calls visit(field) for each field of a request that may be large and lie in pieces, which stay as
// they are. False if the request is malformed.
bool ForEachField(const Request& request, absl::FunctionRef<void(const ShortField&)> visit);

// Where a request about one key goes.
struct RequestPlace {
  uint32_t slot = 0;  // of its key; kSlotCount: there is none
  bool has_request_id = false;
};
// Of a request that may be large and lie in pieces, which stay as they are. Absent if it is
// malformed.
std::optional<RequestPlace> PlaceOfRequest(const Request& request);

// The field of Operation for a method about one key or channel; 0 for others.
int OperationFieldOf(Method method);
// The type of the requests that are this field of Operation.
std::string_view RequestNameOf(int field);

struct OperationSubject {
  // Why the operation has to be refused: it is malformed, or has several requests.
  absl::Status problem;
  std::string_view request;  // serialized
  std::string_view key;      // as above
  int field = 0;             // of Operation, that of the request
  bool has_request_id = false;
  bool has_scope = false;  // of the request_id, which only nodes may say
  uint32_t timeout_ms = kNoTimeout;
};

// Of a serialized Operation.
OperationSubject SubjectOfOperation(std::string_view operation);

}  // namespace ferrite
