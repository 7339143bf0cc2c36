#pragma once

// The prompt: what `ferrite` alone on a terminal is.

#include "client/cli/session.h"

namespace ferrite::cli {

// Reads commands and runs them until Ctrl-D, `exit` or `quit`, or Ctrl-C on an empty line. Returns
// kOk, whatever the commands did.
ExitCode RunPrompt(const Session& session);

}  // namespace ferrite::cli
