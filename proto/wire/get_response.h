#pragma once

// A GetResponse as bytes.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/nesting.h"

namespace ferrite {

// The fields of a GetResponse. When `found` is false nothing else is set.
struct GetResponseFields {
  bool found = false;
  std::string_view value;
  uint64_t version = 0;
  std::optional<int64_t> ttl_ms;
  bool not_modified = false;
};

// What WriteGetResponse appends besides the value, at most: two heads of 1 + 5 bytes, `found` 2,
// the head of the value 6, version and ttl_ms 11 each, `not_modified` 2.
inline constexpr size_t kMostAroundValueBytes = 44;

// Where the bytes of a GetResponse go.
struct GetResponseSizes {
  using Message = v1::GetResponse;

  explicit GetResponseSizes(const GetResponseFields& fields) {
    if (!fields.found) return;
    value = fields.value.size();
    before_value = IntegerFieldSize(Message::kFoundFieldNumber, 1) +
                   (value == 0 ? 0 : HeadSize(Message::kValueFieldNumber, value));
    if (fields.version != 0) {
      after_value += IntegerFieldSize(Message::kVersionFieldNumber, fields.version);
    }
    if (fields.ttl_ms.has_value()) {
      const auto ttl_ms = static_cast<uint64_t>(*fields.ttl_ms);
      after_value += IntegerFieldSize(Message::kTtlMsFieldNumber, ttl_ms);
    }
    if (fields.not_modified) after_value += IntegerFieldSize(Message::kNotModifiedFieldNumber, 1);
  }
  size_t message() const { return before_value + value + after_value; }

  size_t before_value = 0;  // the head of the value is among it
  size_t value = 0;
  size_t after_value = 0;
};

// How many bytes WriteGetResponse appends.
inline size_t GetResponseSize(const Nesting& nesting, const GetResponseFields& fields) {
  const size_t message = GetResponseSizes(fields).message();
  return HeadsSize(nesting, message) + message;
}

// Appends a GetResponse. A value of at least `min_apart_bytes` is left to `append_value()`, which
// appends it to the same sink in whatever way it likes; a shorter one is copied.
template <typename Sink, typename AppendValue>
void WriteGetResponse(const Nesting& nesting, const GetResponseFields& fields,
                      size_t min_apart_bytes, const AppendValue& append_value, Sink* sink) {
  using Message = v1::GetResponse;
  const GetResponseSizes sizes(fields);
  const bool apart = sizes.value != 0 && sizes.value >= min_apart_bytes;
  FieldWriter writer(sink->Append(HeadsSize(nesting, sizes.message()) +
                                  (apart ? sizes.before_value : sizes.message())));
  WriteHeads(nesting, sizes.message(), &writer);
  if (!fields.found) return;
  writer.Integer(Message::kFoundFieldNumber, 1);
  if (sizes.value != 0) writer.Head(Message::kValueFieldNumber, sizes.value);
  if (apart) {
    append_value();
    writer = FieldWriter(sink->Append(sizes.after_value));
  } else {
    writer.Content(fields.value);
  }
  if (fields.version != 0) writer.Integer(Message::kVersionFieldNumber, fields.version);
  if (fields.ttl_ms.has_value()) {
    writer.Integer(Message::kTtlMsFieldNumber, static_cast<uint64_t>(*fields.ttl_ms));
  }
  if (fields.not_modified) writer.Integer(Message::kNotModifiedFieldNumber, 1);
}

// Appends a GetResponse with a copy of its value.
template <typename Sink>
void WriteGetResponse(const Nesting& nesting, const GetResponseFields& fields, Sink* sink) {
  WriteGetResponse(
      nesting, fields, SIZE_MAX, [] {}, sink);
}

// Reads a GetResponse; the value points into it. Absent if it is malformed.
inline std::optional<GetResponseFields> ReadGetResponse(std::string_view message) {
  using Message = v1::GetResponse;
  GetResponseFields fields;
  FieldReader field(message);
  while (field.Next()) {
    if (field.IsInteger(Message::kFoundFieldNumber)) fields.found = field.integer() != 0;
    if (field.Is(Message::kValueFieldNumber)) fields.value = field.bytes();
    if (field.IsInteger(Message::kVersionFieldNumber)) fields.version = field.integer();
    if (field.IsInteger(Message::kTtlMsFieldNumber)) {
      fields.ttl_ms = static_cast<int64_t>(field.integer());
    }
    if (field.IsInteger(Message::kNotModifiedFieldNumber)) {
      fields.not_modified = field.integer() != 0;
    }
  }
  if (!field.well_formed()) return std::nullopt;
  return fields;
}

}  // namespace ferrite
