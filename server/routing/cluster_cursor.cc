#include "server/routing/cluster_cursor.h"

#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"

namespace ferrite {
namespace {

constexpr int kGeneration = 1;
constexpr int kNode = 2;
constexpr int kInside = 3;
constexpr int kAfter = 4;

}  // namespace

std::string ClusterCursor::Encode() const {
  std::string bytes(IntegerFieldSize(kGeneration, generation) + BytesFieldSize(kNode, node) +
                        BytesFieldSize(kInside, inside) + IntegerFieldSize(kAfter, after),
                    '\0');
  FieldWriter writer(bytes.data());
  writer.Integer(kGeneration, generation);
  writer.Bytes(kNode, node);
  writer.Bytes(kInside, inside);
  writer.Integer(kAfter, after);
  return bytes;
}

std::optional<ClusterCursor> DecodeClusterCursor(std::string_view bytes) {
  ClusterCursor cursor;
  int fields = 0;
  FieldReader field(bytes);
  while (field.Next()) {
    ++fields;
    if (fields == kGeneration && field.IsInteger(kGeneration)) {
      cursor.generation = field.integer();
    } else if (fields == kNode && field.Is(kNode)) {
      cursor.node = field.bytes();
    } else if (fields == kInside && field.Is(kInside)) {
      cursor.inside = field.bytes();
    } else if (fields == kAfter && field.IsInteger(kAfter)) {
      cursor.after = field.integer();
    } else {
      return std::nullopt;
    }
  }
  if (!field.well_formed() || fields != kAfter) return std::nullopt;
  return cursor;
}

}  // namespace ferrite
