#pragma once

// What a request is about, for the slow log.

#include <cstdint>
#include <string>
#include <vector>

#include "server/call/method.h"
#include "server/call/request.h"
#include "server/slowlog/trace_parent.h"

namespace ferrite {

// Bytes of a key that are kept.
inline constexpr size_t kSubjectKeyBytes = 64;
// Traces of a frame that are kept.
inline constexpr size_t kSubjectTraces = 16;

struct CallSubject {
  std::string key;    // its first bytes; empty unless the call is on one key or a prefix
  uint32_t keys = 0;  // keys or operations
  std::vector<TraceParent> traces = {};  // those that operations of a frame name, each once
};

// Read off the fields of a request of `method`. Parses it: for slow calls only. Of a request of
// more than 256 KiB it parses the first 8 KiB, which tell the key, but not how many keys there are.
CallSubject SubjectOf(Method method, const Request& request);

}  // namespace ferrite
