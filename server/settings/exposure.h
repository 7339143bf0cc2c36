#pragma once

// Whether others than this machine reach a listener that is not safe for them: without TLS whoever
// is on the way reads tokens and data, and without a policy whoever is let in may do everything. A
// server that nobody told so (--insecure) does not start like that.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/settings/settings.h"

namespace ferrite {

// The listeners that lead beyond this machine, such as "--listen=*:6380", as whoever configured
// them spelled the flag. Asks the resolver for names, which may take a while.
std::vector<std::string> ExposedListeners(const Settings& settings);

// Whether what is needed is missing: some listener is exposed (Settings::exposed), and there is no
// TLS or no policy.
bool IsInsecure(const Settings& settings);

// INVALID_ARGUMENT, with what is missing and the ways out in the text, if it is insecure and nobody
// allowed that.
absl::Status CheckExposure(const Settings& settings);
// What the log has to say if it is insecure.
std::optional<std::string> ExposureWarning(const Settings& settings);

}  // namespace ferrite
