#include "client/cli/tls_choice.h"

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace ferrite::cli {
namespace {

struct FileOption {
  const char* option;
  const char* variable;
  std::string TlsOptions::*file;
  const char* type;
  const char* description;
};

constexpr FileOption kFileOptions[] = {
    {"--ca", "FERRITE_CA", &TlsOptions::ca_file, "FILE",
     "The authorities, in PEM, that may have issued the server's certificate; those that the "
     "system "
     "trusts if not given (FERRITE_CA)"},
    {"--cert", "FERRITE_CERT", &TlsOptions::certificate_file, "FILE",
     "The certificate, in PEM, to show to the server (FERRITE_CERT)"},
    {"--key", "FERRITE_KEY", &TlsOptions::key_file, "FILE",
     "The key of that certificate, in PEM (FERRITE_KEY)"},
    {"--tls-name", "FERRITE_TLS_NAME", &TlsOptions::server_name, "NAME",
     "The name in the server's certificate, where that is not its host (FERRITE_TLS_NAME)"},
};

}  // namespace

absl::StatusOr<TlsOptions> TlsOfEnvironment() {
  TlsOptions tls;
  for (const FileOption& option : kFileOptions) {
    const char* const value = std::getenv(option.variable);
    if (value == nullptr || *value == '\0') continue;
    tls.*option.file = value;
    tls.enabled = true;
  }
  const char* const enabled = std::getenv("FERRITE_TLS");
  if (enabled == nullptr || *enabled == '\0') return tls;
  if (!absl::SimpleAtob(enabled, &tls.enabled)) {
    return absl::InvalidArgumentError(
        absl::StrCat("FERRITE_TLS: \"", enabled, "\" is neither yes nor no"));
  }
  return tls;
}

void AddTlsOptions(CLI::App* app, TlsOptions* tls) {
  app->add_flag("--tls", tls->enabled,
                "The server speaks TLS; so do those that the next options are about (FERRITE_TLS)");
  for (const FileOption& option : kFileOptions) {
    app->add_option_function<std::string>(
           option.option,
           [tls, file = option.file](const std::string& value) {
             tls->*file = value;
             tls->enabled = true;
           },
           option.description)
        ->type_name(option.type);
  }
}

absl::StatusOr<Credentials> CredentialsFor(const TlsOptions& tls, const TokenOptions& token) {
  absl::StatusOr<Credentials> made = MakeCredentials(tls, token);
  if (made.ok()) return made;
  const std::string message =
      absl::StrReplaceAll(made.status().message(), {{"tls.ca_file", "--ca"},
                                                    {"tls.certificate_file", "--cert"},
                                                    {"tls.key_file", "--key"},
                                                    {"token.text", "--token"},
                                                    {"token.file", "--token-file"}});
  return absl::Status(made.status().code(), message);
}

}  // namespace ferrite::cli
