#pragma once

#include <string>

#include "bench/eviction/trace.h"

namespace ferrite::bench {

// Reads a file of lines `time,key,size`, in the order in which they stand. The time is ignored, as
// is a first line whose size is no number. Ends the program with a message that names the line if
// another one is not of this form, if a key is empty or longer than a store takes, or if there is
// no request at all.
Trace ReadCsvTrace(const std::string& file);

}  // namespace ferrite::bench
