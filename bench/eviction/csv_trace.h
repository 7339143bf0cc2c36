#pragma once

#include <string>

#include "bench/eviction/trace.h"

namespace ferrite::bench {

// Reads a file of lines `time,key,size` with no other columns, in the order in which they stand.
// The time is ignored; the key is 1 B to kMaxKeyBytes without a comma, and the size that of the
// value: a whole number of bytes below 4 GiB. A first line without a digit in its size is a header.
// Ends the program with a message that names the line if one is not of this form, or if there is no
// request.
Trace ReadCsvTrace(const std::string& file);

}  // namespace ferrite::bench
