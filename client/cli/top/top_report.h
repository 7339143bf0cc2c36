#pragma once

// What `ferrite top` shows of an interval.

#include <string>

#include "client/cli/terminal.h"
#include "client/cli/top/activity.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// Lines for people, without a line feed at the end. They are no wider than `size`, and no more than
// its rows but one: narrow terminals get fewer columns, wide ones longer numbers.
std::string RenderTop(const std::string& server, const Activity& activity,
                      const TerminalSize& size = {});

// One object for programs, with the methods as a list, as `stats --json` has them. Rates are per
// second; `null`: no data.
nlohmann::ordered_json TopJson(const std::string& server, const Activity& activity);

}  // namespace ferrite::cli
