#pragma once

// The log: lines on standard error, as text for people or as one JSON object each for machines. Use
// spdlog's functions.

#include <string>

namespace ferrite {

// `level`: debug, info, warning or error.
void StartLog(bool json, const std::string& level);

// From now on only lines of that level or above are written. Thread-safe.
void SetLogLevel(const std::string& level);

}  // namespace ferrite
