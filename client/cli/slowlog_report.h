#pragma once

// How `ferrite slowlog` shows slow calls.

#include <optional>
#include <string>

#include "ferrite/v1/admin.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// The heading of the table, and a call as a row of it, without a line feed at the end. With
// `columns`, those of a terminal, what does not fit into the row follows in lines of its own.
std::string SlowLogHeading(std::optional<int> columns);
std::string SlowLogRow(const v1::SlowCall& call, std::optional<int> columns);

// For programs.
nlohmann::ordered_json SlowCallJson(const v1::SlowCall& call);

}  // namespace ferrite::cli
