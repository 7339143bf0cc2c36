#include "server/wire/operation.h"

#include "server/wire/field_reader.h"
#include "store/operation.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

// The numbers of cache.proto.
constexpr uint32_t kFrameOperations = 1;
constexpr uint32_t kOperationGet = 1;
constexpr uint32_t kOperationSet = 2;
constexpr uint32_t kOperationDelete = 3;
constexpr uint32_t kOperationPublish = 6;
constexpr uint32_t kKey = 1;    // of every request, or the channel
constexpr uint32_t kValue = 2;  // of a Set, or the payload
constexpr uint32_t kSetTtlMs = 3;

// Stands for a key that is not known yet.
constexpr std::string_view kNoKey = "?";

bool IsKey(std::string_view key) { return !key.empty() && key.size() <= kMaxKeyBytes; }

// Takes in the fields of a request on one key. False if it asks for something that is not simple,
// or breaks a limit.
bool ParseSimple(std::string_view request, Kind kind, size_t max_value_bytes,
                 FrameOperation* operation) {
  FieldReader field(request);
  while (field.Next()) {
    if (field.Is(kKey) && IsKey(field.bytes())) {
      operation->key = field.bytes();
    } else if ((kind == Kind::kSet || kind == Kind::kPublish) && field.Is(kValue) &&
               field.bytes().size() <= max_value_bytes) {
      operation->value = field.bytes();
    } else if (kind == Kind::kSet && field.IsInteger(kSetTtlMs) && field.integer() >= 1 &&
               field.integer() <= kMaxTtlMs) {
      operation->ttl_ms = static_cast<int64_t>(field.integer());
    } else {
      return false;
    }
  }
  return field.well_formed() && operation->key.data() != kNoKey.data();
}

}  // namespace

FrameOperation ParseOperation(std::string_view message, size_t max_value_bytes) {
  FrameOperation operation;
  operation.key = kNoKey;
  operation.message = message;
  FieldReader field(message);
  if (!field.Next()) return operation;
  Kind kind = Kind::kOther;
  if (field.Is(kOperationGet)) kind = Kind::kGet;
  if (field.Is(kOperationSet)) kind = Kind::kSet;
  if (field.Is(kOperationDelete)) kind = Kind::kDelete;
  if (field.Is(kOperationPublish)) kind = Kind::kPublish;
  const std::string_view request = field.bytes();
  if (!ParseSimple(request, kind, max_value_bytes, &operation)) kind = Kind::kOther;
  // A second field would take the place of the first or be merged with it.
  if (field.Next() || !field.well_formed()) kind = Kind::kOther;
  operation.kind = kind;
  return operation;
}

bool ParseFrame(std::string_view frame, size_t limit, size_t max_value_bytes,
                std::vector<FrameOperation>* operations) {
  operations->clear();
  FieldReader field(frame);
  while (operations->size() <= limit && field.Next()) {
    if (!field.Is(kFrameOperations)) continue;  // of a later version of the contract
    operations->push_back(ParseOperation(field.bytes(), max_value_bytes));
  }
  return field.well_formed();
}

}  // namespace ferrite
