#pragma once

// Tells a message that came from one that did not: gRPC has a unary call without a response end
// with OK, too, and the message is then as it was before the call.

#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace ferrite {

// No message of ours has a field of the highest number that there can be.
inline constexpr int kUnparsedMark = (1 << 29) - 1;

// Empties the message and marks it; whatever is parsed into it takes the mark away. By reflection:
// messages of proto3 show their unknown fields in no other way.
inline void MarkUnparsed(google::protobuf::Message* message) {
  message->Clear();
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(kUnparsedMark, 0);
}

inline bool IsUnparsed(const google::protobuf::Message& message) {
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  return fields.field_count() == 1 && fields.field(0).number() == kUnparsedMark;
}

}  // namespace ferrite
