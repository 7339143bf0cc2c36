#pragma once

// Where the values of flags come from: the command line, the environment, or the table of flags.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/settings/flags.h"

namespace ferrite {

// The value of every flag: what `arguments` say ("--max-memory=1GiB" or "--max-memory 1GiB"; the
// last one counts, or all where a flag is repeatable), else FERRITE_<NAME> of `environment`, else
// the default. INVALID_ARGUMENT for arguments that are no flag, and for variables FERRITE_* that
// are no setting, with the name that was probably meant. Left alone are FERRITE_SERVER,
// FERRITE_TLS and others that belong to the command `ferrite`, and what Kubernetes sets for a
// service that is called ferrite (FERRITE_SERVICE_HOST, FERRITE_PORT=tcp://... and others).
absl::StatusOr<FlagValues> ReadFlags(const std::vector<std::string>& arguments,
                                     const std::map<std::string, std::string>& environment);

}  // namespace ferrite
