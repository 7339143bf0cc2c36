#pragma once

// How `ferrite slowlog` shows slow calls.

#include <string>

#include "ferrite/v1/admin.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// The heading of the table, and a call as a row of it.
std::string SlowLogHeading();
std::string SlowLogRow(const v1::SlowCall& call);

nlohmann::ordered_json SlowCallJson(const v1::SlowCall& call);

}  // namespace ferrite::cli
