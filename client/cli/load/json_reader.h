#pragma once

#include <memory>

#include "client/cli/load/entry_reader.h"
#include "client/cli/records.h"

namespace ferrite::cli {

// Objects with key, value and possibly ttl_ms, one a line; bytes that are no UTF-8 are
// {"base64": "..."}.
std::unique_ptr<EntryReader> MakeJsonReader(RecordReader records);

}  // namespace ferrite::cli
