#include "client/cli/token_choice.h"

#include <cstdlib>

#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

std::string ValueOfVariable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

TokenOptions TokenOfEnvironment() {
  return {.text = ValueOfVariable("FERRITE_TOKEN"), .file = ValueOfVariable("FERRITE_TOKEN_FILE")};
}

void AddTokenOptions(CLI::App* app, TokenOptions* token) {
  CLI::Option* const file =
      app->add_option_function<std::string>(
             "--token-file",
             [token](const std::string& value) {
               *token = {.text = {}, .file = UnprotectArgument(value)};
             },
             "The file with the token to show to the server (FERRITE_TOKEN_FILE)")
          ->type_name("FILE");
  app->add_option_function<std::string>(
         "--token",
         [token](const std::string& value) {
           *token = {.text = UnprotectArgument(value), .file = {}};
         },
         "The token itself, which others on this machine can then read (FERRITE_TOKEN)")
      ->type_name("TOKEN")
      ->excludes(file);
}

}  // namespace ferrite::cli
