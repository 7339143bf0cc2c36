#include "proto/wire/frame_operation.h"

#include <algorithm>

#include "proto/wire/field_reader.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

// The requests are alike, so that one function reads them.
constexpr int kKey = v1::GetRequest::kKeyFieldNumber;
static_assert(kKey == v1::SetRequest::kKeyFieldNumber &&
              kKey == v1::DeleteRequest::kKeyFieldNumber &&
              kKey == v1::PublishRequest::kChannelFieldNumber);
constexpr int kValue = v1::SetRequest::kValueFieldNumber;
static_assert(kValue == v1::PublishRequest::kPayloadFieldNumber);
constexpr int kTtlMs = v1::SetRequest::kTtlMsFieldNumber;

// Stands for a key that is not known yet.
constexpr std::string_view kNoKey = "?";

bool HasValue(Kind kind) { return kind == Kind::kSet || kind == Kind::kPublish; }

// Reads the fields of a request on one key. False if it asks for something that is not simple, or
// exceeds a limit.
bool ParseSimple(std::string_view request, Kind kind, const OperationLimits& limits,
                 FrameOperation* operation) {
  const auto max_ttl_ms = static_cast<uint64_t>(limits.ttl_ms);
  FieldReader field(request);
  while (field.Next()) {
    if (field.Is(kKey) && !field.bytes().empty() && field.bytes().size() <= limits.key_bytes) {
      operation->key = field.bytes();
    } else if (HasValue(kind) && field.Is(kValue) && field.bytes().size() <= limits.value_bytes) {
      operation->value = field.bytes();
    } else if (kind == Kind::kSet && field.IsInteger(kTtlMs) && field.integer() >= 1 &&
               field.integer() <= max_ttl_ms) {
      operation->ttl_ms = static_cast<int64_t>(field.integer());
    } else {
      return false;
    }
  }
  return field.well_formed() && operation->key.data() != kNoKey.data();
}

// A string of the contract is UTF-8. A trace has only ASCII, so nothing else is looked into.
bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

// Reads what follows the request. False if that is another request, which would take the place of
// the first or be merged with it, or anything else that is not simple.
bool ParseTerms(FieldReader* field, FrameOperation* operation) {
  while (field->Next()) {
    if (field->IsInteger(v1::Operation::kTimeoutMsFieldNumber)) {
      const auto timeout_ms = static_cast<int64_t>(field->integer());
      operation->timeout_ms = static_cast<uint32_t>(std::clamp<int64_t>(timeout_ms, 0, kNoTimeout));
    } else if (!field->Is(v1::Operation::kTraceparentFieldNumber) || !IsAscii(field->bytes())) {
      return false;
    }
  }
  return field->well_formed();
}

}  // namespace

FrameOperation ParseOperation(std::string_view message, const OperationLimits& limits) {
  FrameOperation operation;
  operation.key = kNoKey;
  operation.message = message;
  FieldReader field(message);
  if (!field.Next()) return operation;
  Kind kind = Kind::kOther;
  if (field.Is(FieldOf(Kind::kGet))) kind = Kind::kGet;
  if (field.Is(FieldOf(Kind::kSet))) kind = Kind::kSet;
  if (field.Is(FieldOf(Kind::kDelete))) kind = Kind::kDelete;
  if (field.Is(FieldOf(Kind::kPublish))) kind = Kind::kPublish;
  const std::string_view request = field.bytes();
  if (!ParseSimple(request, kind, limits, &operation) || !ParseTerms(&field, &operation)) {
    kind = Kind::kOther;
  }
  operation.kind = kind;
  if (kind == Kind::kOther) operation.timeout_ms = kNoTimeout;
  return operation;
}

bool ParseFrame(std::string_view frame, size_t count, const OperationLimits& limits,
                std::vector<FrameOperation>* operations) {
  operations->clear();
  FieldReader field(frame);
  while (operations->size() <= count && field.Next()) {
    // Other fields are of a later version of the contract.
    if (!field.Is(v1::PipelineRequest::kOperationsFieldNumber)) continue;
    operations->push_back(ParseOperation(field.bytes(), limits));
  }
  return field.well_formed();
}

size_t RequestSize(const FrameOperation& operation) {
  size_t size = 0;
  if (!operation.key.empty()) size += BytesFieldSize(kKey, operation.key);
  if (!operation.value.empty()) size += BytesFieldSize(kValue, operation.value);
  if (operation.ttl_ms != 0) {
    size += IntegerFieldSize(kTtlMs, static_cast<uint64_t>(operation.ttl_ms));
  }
  return size;
}

void WriteRequest(const FrameOperation& operation, FieldWriter* writer) {
  if (!operation.key.empty()) writer->Bytes(kKey, operation.key);
  if (!operation.value.empty()) writer->Bytes(kValue, operation.value);
  if (operation.ttl_ms != 0) writer->Integer(kTtlMs, static_cast<uint64_t>(operation.ttl_ms));
}

}  // namespace ferrite
