#include "server/routing/operation_key.h"

#include <algorithm>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "server/call/status.h"
#include "store/operation.h"

namespace ferrite {
namespace {

// All requests about one key have it there.
constexpr int kKey = v1::GetRequest::kKeyFieldNumber;
static_assert(kKey == v1::SetRequest::kKeyFieldNumber &&
              kKey == v1::DeleteRequest::kKeyFieldNumber &&
              kKey == v1::TouchRequest::kKeyFieldNumber &&
              kKey == v1::IncrRequest::kKeyFieldNumber &&
              kKey == v1::PublishRequest::kChannelFieldNumber &&
              kKey == v1::ExistsRequest::kKeysFieldNumber);

bool IsRequest(int field) {
  return field >= v1::Operation::kGetFieldNumber && field <= v1::Operation::kExistsFieldNumber;
}

}  // namespace

RequestKey KeyOfRequest(std::string_view request) {
  RequestKey found;
  FieldReader field(request);
  // As in every message, of two the last one counts.
  while (field.Next()) {
    if (field.Is(kKey)) found.key = field.bytes();
  }
  found.well_formed = field.well_formed();
  if (found.key.size() > kMaxKeyBytes) found.key = {};
  return found;
}

std::string_view RequestNameOf(int field) {
  return v1::Operation::descriptor()->FindFieldByNumber(field)->message_type()->name();
}

OperationSubject SubjectOfOperation(std::string_view operation) {
  OperationSubject subject;
  int requests = 0;
  bool well_formed = true;
  FieldReader field(operation);
  while (field.Next()) {
    if (field.IsInteger(v1::Operation::kTimeoutMsFieldNumber)) {
      const auto timeout_ms = static_cast<int64_t>(field.integer());
      subject.timeout_ms =
          static_cast<uint32_t>(std::clamp<int64_t>(timeout_ms, 0, kNoTimeout - 1));
    } else if (field.holds_bytes() && IsRequest(field.number())) {
      ++requests;
      subject.field = field.number();
      const RequestKey found = KeyOfRequest(field.bytes());
      well_formed &= found.well_formed;
      subject.key = found.key;
    }
  }
  if (!well_formed || !field.well_formed()) {
    subject.problem = Malformed("Operation");
  } else if (requests > 1) {
    subject.problem = InvalidArgument(
        v1::OPERATION_UNKNOWN, "the operation has several requests; exactly one must be set");
  }
  return subject;
}

}  // namespace ferrite
