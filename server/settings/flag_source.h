#pragma once

// Sets Abseil flags from a command line and an environment, in Ferrite's own spelling: dashes in
// names, every error as a status with what is allowed in its text. (absl::ParseCommandLine ends the
// process itself and knows no environment.)

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ferrite {

// Sets each flag named in `arguments`; for those among `names` that are not there, from
// FERRITE_<NAME>.
absl::Status SetFlags(const std::vector<std::string>& names,
                      const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& environment);

// "max_memory" to "--max-memory" and to "FERRITE_MAX_MEMORY".
std::string FlagName(const std::string& name);
std::string EnvironmentName(const std::string& name);

}  // namespace ferrite
