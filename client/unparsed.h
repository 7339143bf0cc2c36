#pragma once

// Tells a message that came from one that did not: gRPC has a unary call without a response end
// with OK, too, and the message is then as it was before the call.

namespace ferrite {

// No message of ours has a field of the highest number that there can be.
inline constexpr int kUnparsedMark = (1 << 29) - 1;

// Empties the message and marks it; whatever is parsed into it takes the mark away. A message
// that keeps no unknown fields has no place for a mark, and counts as parsed.
template <class Message>
void MarkUnparsed(Message* message) {
  message->Clear();
  if constexpr (requires { message->mutable_unknown_fields(); }) {
    message->mutable_unknown_fields()->AddVarint(kUnparsedMark, 0);
  }
}

template <class Message>
bool IsUnparsed(const Message& message) {
  if constexpr (requires { message.unknown_fields(); }) {
    const auto& fields = message.unknown_fields();
    return fields.field_count() == 1 && fields.field(0).number() == kUnparsedMark;
  }
  return false;
}

}  // namespace ferrite
