#pragma once

// What an operation asks a policy for, found in its bytes without making a message of them.

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proto/wire/frame_operation.h"
#include "server/auth/identity.h"
#include "server/call/request.h"
#include "server/policy/verb.h"

namespace ferrite {

struct Demand {
  // Why the operation has to be refused: whoever parses it might find something else in it.
  absl::Status problem;
  // The key or channel; empty if there is none of a length that is allowed: then it is refused by
  // whoever executes it.
  std::string_view name;
  bool is_channel = false;
  policy::Verbs verbs;
  // It says whose its request_id is, as nodes do of what they forward.
  bool in_anothers_name = false;
};

// Of a request that is this field of Operation. A large one may lie in pieces; then `*copy` holds
// the name.
Demand DemandOfRequest(int field, const Request& request, std::string* copy);
// The same of a request in one piece.
Demand DemandOfRequest(int field, std::string_view request);
// Of an operation of a frame.
Demand DemandOfOperation(const FrameOperation& operation);
// Of one key of a batch.
Demand DemandOfKey(int field, std::string_view key);

// Whether the policy allows it. Where there is no name, whether it would allow any.
bool Allows(const Identity& who, const Demand& demand);

}  // namespace ferrite
