#include "proto/wire/field_reader.h"

#include <array>
#include <cstddef>

namespace ferrite {

bool FieldReader::SkipGroup() {
  constexpr size_t kMostNested = 100;  // as protobuf has it
  const uint32_t whole = tag_;
  std::array<int, kMostNested> open;  // numbers of the groups that are not at their ends
  size_t depth = 0;
  open[depth++] = number();
  while (depth > 0) {
    if (!ReadTag()) return false;
    switch (tag_ & kTypeMask) {
      case kGroup:
        if (depth == kMostNested) return false;
        open[depth++] = number();
        break;
      case kEndGroup:
        if (number() != open[--depth]) return false;
        break;
      default:
        if (!ReadContent()) return false;
    }
  }
  tag_ = whole;  // so it is none of the fields that anybody asks for
  return true;
}

}  // namespace ferrite
