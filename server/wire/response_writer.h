#pragma once

// What the store has read, written as a GetResponse onto a reply.

#include <cstddef>

#include "proto/wire/get_response.h"
#include "proto/wire/nesting.h"
#include "proto/wire/number_pair.h"
#include "server/wire/reply_writer.h"
#include "store/operation.h"

namespace ferrite {

// How many bytes WriteRead appends.
size_t ReadBytes(const Nesting& nesting, const ReadResult& result);

// Appends a GetResponse. A large value is appended by reference.
void WriteRead(const Nesting& nesting, const ReadResult& result, ReplyWriter* reply);

}  // namespace ferrite
