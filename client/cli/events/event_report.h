#pragma once

// Events of a subscription as people and programs read them.

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ferrite/v1/cache.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// "set", "delete", ... as the command line names them.
std::string_view KindName(v1::KeyEventKind kind);

// A line for people about an event that came at `time`; nothing for an Acknowledgement or a
// Heartbeat. `colored`: for a terminal. A long value is truncated, a message is not.
std::string EventRow(const v1::SubscriptionEvent& event, absl::Time time, bool colored);

// An object for programs, of any event.
nlohmann::ordered_json EventJson(const v1::SubscriptionEvent& event);

}  // namespace ferrite::cli
