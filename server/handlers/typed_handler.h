#pragma once

// From a function of messages to a handler of bytes.

#include <cstddef>

#include "absl/status/status.h"
#include "server/call/status.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Empties a message of so many bytes for its next use. It keeps its memory, which saves the next
// call from asking for it, unless that is more than calls usually need.
template <typename Message>
void Empty(size_t bytes, Message* message) {
  constexpr size_t kKeptBytes = size_t{4} << 20;
  if (bytes > kKeptBytes) {
    *message = Message();
  } else {
    message->Clear();
  }
}

// Parses a Message, calls function(message, &response), which returns a status, and writes the
// response. The messages are shared by the calls of a thread: calls whose clients do not read hold
// no message beside the serialized one.
template <typename Message, typename Response, typename Function>
absl::Status AnswerTyped(Turn* turn, const Function& function) {
  thread_local Message message;
  thread_local Response response;
  absl::Status status = turn->request().ParseInto(&message)
                            ? function(message, &response)
                            : Malformed(Message::descriptor()->full_name());
  if (status.ok()) turn->reply()->AppendMessage(response);
  Empty(turn->request().size(), &message);
  Empty(turn->reply()->size(), &response);
  return status;
}

// A handler that does so with a member function.
template <typename Owner, typename Message, typename Response>
Handler TypedHandler(Owner* owner, absl::Status (Owner::*member)(const Message&, Response*)) {
  return [owner, member](Turn* turn) {
    return AnswerTyped<Message, Response>(turn, [&](const Message& message, Response* response) {
      return (owner->*member)(message, response);
    });
  };
}
template <typename Owner, typename Message, typename Response>
Handler TypedHandler(const Owner* owner,
                     absl::Status (Owner::*member)(const Message&, Response*) const) {
  return [owner, member](Turn* turn) {
    return AnswerTyped<Message, Response>(turn, [&](const Message& message, Response* response) {
      return (owner->*member)(message, response);
    });
  };
}

}  // namespace ferrite
