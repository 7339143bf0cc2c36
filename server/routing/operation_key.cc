#include "server/routing/operation_key.h"

#include <algorithm>
#include <string>

#include "ferrite/v1/cache.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "proto/slot.h"
#include "proto/wire/field_reader.h"
#include "server/call/status.h"
#include "store/operation.h"

namespace ferrite {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// All requests about one key have it there.
constexpr int kKey = v1::GetRequest::kKeyFieldNumber;
static_assert(kKey == v1::SetRequest::kKeyFieldNumber &&
              kKey == v1::DeleteRequest::kKeyFieldNumber &&
              kKey == v1::TouchRequest::kKeyFieldNumber &&
              kKey == v1::IncrRequest::kKeyFieldNumber &&
              kKey == v1::PublishRequest::kChannelFieldNumber &&
              kKey == v1::ExistsRequest::kKeysFieldNumber);

// Of those that have one.
constexpr int kRequestId = v1::SetRequest::kRequestIdFieldNumber;
static_assert(kRequestId == v1::IncrRequest::kRequestIdFieldNumber);

bool IsRequest(int field) {
  return field >= v1::Operation::kGetFieldNumber && field <= v1::Operation::kExistsFieldNumber;
}

// As many pieces are joined at once as cost next to nothing to copy.
constexpr size_t kMostJoinedBytes = size_t{64} << 10;
// A tag and the size of what follows, at most.
constexpr size_t kMostHeadBytes = 20;

// Where a field that lies in pieces begins and ends, as far as its head says. Absent if it is
// malformed.
struct FieldPlace {
  uint32_t tag = 0;
  uint64_t integer = 0;
  size_t content = 0;
  size_t end = 0;
};
std::optional<FieldPlace> PlaceOfField(const Request& request, size_t begin) {
  char head[kMostHeadBytes];
  const size_t head_bytes = std::min(kMostHeadBytes, request.size() - begin);
  request.CopyOut(begin, head_bytes, head);
  CodedInputStream input(reinterpret_cast<const uint8_t*>(head), static_cast<int>(head_bytes));
  const uint32_t tag = input.ReadTag();
  uint64_t number = 0;
  size_t content_bytes = 0;
  switch (WireFormatLite::GetTagWireType(tag)) {
    case WireFormatLite::WIRETYPE_VARINT:
      if (!input.ReadVarint64(&number)) return std::nullopt;
      break;
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
      if (!input.ReadVarint64(&number)) return std::nullopt;
      content_bytes = number;
      break;
    case WireFormatLite::WIRETYPE_FIXED64:
      content_bytes = 8;
      break;
    case WireFormatLite::WIRETYPE_FIXED32:
      content_bytes = 4;
      break;
    default:
      return std::nullopt;
  }
  const size_t content = begin + static_cast<size_t>(input.CurrentPosition());
  if (WireFormatLite::GetTagFieldNumber(tag) == 0 || content_bytes > request.size() - content) {
    return std::nullopt;
  }
  return FieldPlace{tag, number, content, content + content_bytes};
}

bool ForEachFieldIn(std::string_view fields, absl::FunctionRef<void(const ShortField&)> visit) {
  FieldReader field(fields);
  while (field.Next()) {
    const bool is_integer = field.IsInteger(field.number());
    const bool is_short = field.holds_bytes() && field.bytes().size() <= kMaxKeyBytes;
    visit({.number = field.number(),
           .is_integer = is_integer,
           .is_bytes = field.holds_bytes(),
           .integer = is_integer ? field.integer() : 0,
           .bytes = is_short ? field.bytes() : std::string_view()});
  }
  return field.well_formed();
}

}  // namespace

bool ForEachField(const Request& request, absl::FunctionRef<void(const ShortField&)> visit) {
  if (request.in_one_piece() || request.size() <= kMostJoinedBytes)
    return ForEachFieldIn(request.bytes(), visit);
  std::string bytes;
  for (size_t begin = 0; begin < request.size();) {
    const std::optional<FieldPlace> field = PlaceOfField(request, begin);
    // Malformed, or a group, which nobody sends: the rest is looked at in one piece.
    if (!field.has_value()) return ForEachFieldIn(request.bytes().substr(begin), visit);
    const auto type = WireFormatLite::GetTagWireType(field->tag);
    const bool is_bytes = type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    const size_t size = field->end - field->content;
    bytes.resize(is_bytes && size <= kMaxKeyBytes ? size : 0);
    request.CopyOut(field->content, bytes.size(), bytes.data());
    visit({.number = WireFormatLite::GetTagFieldNumber(field->tag),
           .is_integer = type == WireFormatLite::WIRETYPE_VARINT,
           .is_bytes = is_bytes,
           .integer = field->integer,
           .bytes = bytes});
    begin = field->end;
  }
  return true;
}

std::optional<RequestPlace> PlaceOfRequest(const Request& request) {
  const auto place_of = [](std::string_view key, bool has_request_id) {
    return RequestPlace{key.empty() ? kSlotCount : SlotOf(key), has_request_id};
  };
  if (request.in_one_piece() || request.size() <= kMostJoinedBytes) {
    const RequestKey found = KeyOfRequest(request.bytes());
    if (!found.well_formed) return std::nullopt;
    return place_of(found.key, found.has_request_id);
  }
  std::string key;
  bool has_request_id = false;
  const bool is_well_formed = ForEachField(request, [&](const ShortField& field) {
    if (field.number == kKey && field.is_bytes) key.assign(field.bytes);
    has_request_id |= field.number == kRequestId;
  });
  if (!is_well_formed) return std::nullopt;
  return place_of(key, has_request_id);
}

RequestKey KeyOfRequest(std::string_view request) {
  RequestKey found;
  FieldReader field(request);
  // As in every message, of two the last one counts.
  while (field.Next()) {
    if (field.Is(kKey)) found.key = field.bytes();
    found.has_request_id |= field.Is(kRequestId);
  }
  found.well_formed = field.well_formed();
  if (found.key.size() > kMaxKeyBytes) found.key = {};
  return found;
}

int OperationFieldOf(Method method) {
  switch (method) {
    case Method::kGet:
      return v1::Operation::kGetFieldNumber;
    case Method::kSet:
      return v1::Operation::kSetFieldNumber;
    case Method::kDelete:
      return v1::Operation::kDeleteFieldNumber;
    case Method::kTouch:
      return v1::Operation::kTouchFieldNumber;
    case Method::kIncr:
      return v1::Operation::kIncrFieldNumber;
    case Method::kPublish:
      return v1::Operation::kPublishFieldNumber;
    default:
      return 0;
  }
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
      subject.request = field.bytes();
      const RequestKey found = KeyOfRequest(field.bytes());
      well_formed &= found.well_formed;
      subject.key = found.key;
      subject.has_request_id = found.has_request_id;
    }
    subject.has_scope |= field.number() == v1::Operation::kRequestScopeFieldNumber;
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
