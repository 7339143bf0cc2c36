#pragma once

// What `ferrite stats` tells of a server.

#include <string>

#include "ferrite/v1/admin.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// Lines for people, without a line feed at the end: what is not zero, or with `all` everything.
// Rates are averages since the start of the server.
std::string RenderStats(const std::string& server, const v1::StatsResponse& stats, bool all);

// Everything, for programs.
nlohmann::ordered_json StatsJson(const v1::StatsResponse& stats);

}  // namespace ferrite::cli
