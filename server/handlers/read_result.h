#pragma once

// From what the store read to what the wire carries.

#include <cstddef>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/nesting.h"
#include "server/call/reply_writer.h"
#include "store/operation.h"

namespace ferrite {

// For every message with the fields value, version and ttl_ms.
template <typename Message>
void FillEntry(const ReadResult& result, Message* message) {
  const std::string_view value = result.value.view();
  message->set_value(value.data(), value.size());
  message->set_version(result.version);
  if (result.ttl_ms.has_value()) message->set_ttl_ms(*result.ttl_ms);
}

// How many bytes WriteRead appends.
size_t ReadBytes(const Nesting& nesting, const ReadResult& result);

// Appends a GetResponse. A large value is appended by reference.
void WriteRead(const Nesting& nesting, const ReadResult& result, ReplyWriter* reply);

}  // namespace ferrite
