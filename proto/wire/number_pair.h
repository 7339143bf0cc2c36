#pragma once

// Responses that are two integers, as bytes: a SetResponse without `previous` and a DeleteResponse,
// which say whether something happened and to which version, and a PublishResponse, which says how
// many streams get the message and its sequence.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/nesting.h"

namespace ferrite {

struct NumberPair {
  uint64_t first = 0;   // stored, deleted, receivers
  uint64_t second = 0;  // version, version, sequence

  static constexpr int kFirstField = v1::SetResponse::kStoredFieldNumber;
  static constexpr int kSecondField = v1::SetResponse::kVersionFieldNumber;
};
static_assert(NumberPair::kFirstField == v1::DeleteResponse::kDeletedFieldNumber &&
              NumberPair::kFirstField == v1::PublishResponse::kReceiversFieldNumber &&
              NumberPair::kSecondField == v1::DeleteResponse::kVersionFieldNumber &&
              NumberPair::kSecondField == v1::PublishResponse::kSequenceFieldNumber);

// Appends such a response.
template <typename Sink>
void WriteNumbers(const Nesting& nesting, uint64_t first, uint64_t second, Sink* sink) {
  size_t size = 0;
  if (first != 0) size += IntegerFieldSize(NumberPair::kFirstField, first);
  if (second != 0) size += IntegerFieldSize(NumberPair::kSecondField, second);
  FieldWriter writer(sink->Append(HeadsSize(nesting, size) + size));
  WriteHeads(nesting, size, &writer);
  if (first != 0) writer.Integer(NumberPair::kFirstField, first);
  if (second != 0) writer.Integer(NumberPair::kSecondField, second);
}

// Reads such a response. Absent if it is malformed.
inline std::optional<NumberPair> ReadNumbers(std::string_view message) {
  NumberPair pair;
  FieldReader field(message);
  while (field.Next()) {
    if (field.IsInteger(NumberPair::kFirstField)) pair.first = field.integer();
    if (field.IsInteger(NumberPair::kSecondField)) pair.second = field.integer();
  }
  if (!field.well_formed()) return std::nullopt;
  return pair;
}

}  // namespace ferrite
