#pragma once

// How the command line and the environment name the token to show.

#include "CLI/CLI.hpp"
#include "client/token_options.h"

namespace ferrite::cli {

// What FERRITE_TOKEN and FERRITE_TOKEN_FILE say; both is an error of whoever makes credentials.
TokenOptions TokenOfEnvironment();

// --token and --token-file, either of which goes before both variables.
void AddTokenOptions(CLI::App* app, TokenOptions* token);

}  // namespace ferrite::cli
