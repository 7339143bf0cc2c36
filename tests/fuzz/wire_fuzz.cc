// What the hot path reads from bytes, beside what protobuf makes of them: both accept and refuse
// the same, and find the same in it. The input is taken as it is, and as a recipe for a message
// that is nearly well formed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/frame_operation.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

constexpr OperationLimits kLimits = {.key_bytes = 100, .value_bytes = 1000, .ttl_ms = 1000};
constexpr size_t kMostOperations = 1000;

// Fields as a recipe says: mostly well formed, with tags and sizes that are longer than they have
// to be, types that do not fit, and groups.
class Recipe {
 public:
  Recipe(const uint8_t* data, size_t size) : next_(data), end_(data + size) {}

  std::string Message(int depth = 0) {
    std::string message;
    for (int fields = Take() % 5; fields > 0 && next_ < end_; --fields) {
      const uint32_t number = Take() % 12 == 0 ? 1000 + Take() : Take() % 6;
      const uint32_t type = Take() % 3 == 0 ? Take() % 8 : 2;
      PutVarint(number << 3 | type, &message);
      switch (type) {
        case 0:
          PutVarint(Take() % 4 == 0 ? UINT64_MAX - Take() : Take(), &message);
          break;
        case 1:
          message.append(8, 'f');
          break;
        case 2: {
          const std::string content =
              depth < 3 && Take() % 2 == 0 ? Message(depth + 1) : std::string(Take() % 150, 'c');
          PutVarint(content.size() + (Take() % 50 == 0), &message);
          message += content;
          break;
        }
        case 3:
          if (depth < 3) message += Message(depth + 1);
          PutVarint((number + (Take() % 20 == 0)) << 3 | 4, &message);
          break;
        case 5:
          message.append(4, 'f');
          break;
        default:
          break;
      }
    }
    return message;
  }

 private:
  uint8_t Take() { return next_ < end_ ? *next_++ : 0; }

  void PutVarint(uint64_t value, std::string* message) {
    int more = Take() % 8 == 0 ? Take() % 7 : 0;
    for (; value >= 0x80; value >>= 7) *message += static_cast<char>(value | 0x80);
    if (more == 0) {
      *message += static_cast<char>(value);
      return;
    }
    *message += static_cast<char>(value | 0x80);
    while (--more > 0) *message += '\x80';
    *message += Take() % 4 == 0 ? '\x70' : '\x00';
  }

  const uint8_t* next_;
  const uint8_t* const end_;
};

void CheckKeys(const std::string& bytes) {
  v1::MGetRequest expected;
  const bool well_formed = expected.ParseFromString(bytes);
  std::vector<std::string_view> keys;
  FieldReader field(bytes);
  while (field.Next()) {
    if (field.Is(v1::MGetRequest::kKeysFieldNumber)) keys.push_back(field.bytes());
  }
  FERRITE_CHECK(field.well_formed() == well_formed);
  if (!well_formed) return;
  FERRITE_CHECK(keys.size() == static_cast<size_t>(expected.keys_size()));
  for (size_t i = 0; i < keys.size(); ++i)
    FERRITE_CHECK(keys[i] == expected.keys(static_cast<int>(i)));
}

template <typename Request>
void CheckKeyAndTime(const FrameOperation& operation, const std::string& key,
                     const v1::Operation& expected, const Request&) {
  FERRITE_CHECK(operation.key == key);
  FERRITE_CHECK((operation.timeout_ms != kNoTimeout) == expected.has_timeout_ms());
}

void CheckSimple(const FrameOperation& operation, const v1::Operation& expected) {
  switch (operation.kind) {
    case Kind::kGet:
      FERRITE_CHECK(expected.has_get());
      return CheckKeyAndTime(operation, expected.get().key(), expected, expected.get());
    case Kind::kSet:
      FERRITE_CHECK(expected.has_set() && operation.value == expected.set().value());
      FERRITE_CHECK(operation.ttl_ms == expected.set().ttl_ms());
      return CheckKeyAndTime(operation, expected.set().key(), expected, expected.set());
    case Kind::kDelete:
      FERRITE_CHECK(expected.has_delete_());
      return CheckKeyAndTime(operation, expected.delete_().key(), expected, expected.delete_());
    case Kind::kPublish:
      FERRITE_CHECK(expected.has_publish() && operation.value == expected.publish().payload());
      return CheckKeyAndTime(operation, expected.publish().channel(), expected, expected.publish());
    case Kind::kOther:
      return;
  }
}

// What is not simple is for protobuf to read, which has the last word on whether it is well formed.
void CheckFrame(const std::string& bytes) {
  std::vector<FrameOperation> operations;
  bool well_formed = ParseFrame(bytes, kMostOperations, kLimits, &operations);
  if (operations.size() > kMostOperations) return;
  for (const FrameOperation& operation : operations) {
    v1::Operation expected;
    const bool whole = expected.ParseFromArray(operation.message.data(),
                                               static_cast<int>(operation.message.size()));
    FERRITE_CHECK(whole || operation.kind == Kind::kOther);
    well_formed = well_formed && whole;
    if (whole) CheckSimple(operation, expected);
  }
  v1::PipelineRequest expected;
  FERRITE_CHECK(expected.ParseFromString(bytes) == well_formed);
  FERRITE_CHECK(!well_formed ||
                operations.size() == static_cast<size_t>(expected.operations_size()));
}

}  // namespace
}  // namespace ferrite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string made = ferrite::Recipe(data, size).Message();
  for (const std::string& bytes : {std::string(reinterpret_cast<const char*>(data), size), made}) {
    ferrite::CheckKeys(bytes);
    ferrite::CheckFrame(bytes);
  }
  return 0;
}
