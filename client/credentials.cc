#include "client/credentials.h"

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace ferrite {
namespace {

constexpr unsigned kLookIntervalS = 1;

// Whether a file can be read, and begins with something: gRPC would say so in its log only.
absl::Status CheckFile(std::string_view option, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  std::FILE* const file = std::fopen(path.c_str(), "re");
  int error = file == nullptr ? errno : 0;
  const bool has_begun = file != nullptr && std::fgetc(file) != EOF;
  if (file != nullptr) {
    if (std::ferror(file) != 0) error = errno;
    std::fclose(file);
  }
  if (has_begun) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("tls.", absl::string_view(option.data(), option.size()), ": ", path, ": ",
                   error == 0 ? "the file is empty" : ErrorText(error)));
}

absl::Status CheckTls(const TlsOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError(
        "tls.certificate_file and tls.key_file go together: set both, or none");
  }
  for (const auto& [option, path] :
       {std::pair<std::string_view, const std::string&>{"ca_file", options.ca_file},
        {"certificate_file", options.certificate_file},
        {"key_file", options.key_file}}) {
    if (absl::Status status = CheckFile(option, path); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Credentials> MakeCredentials(const TlsOptions& options, const TokenOptions& token) {
  absl::StatusOr<std::shared_ptr<TokenSource>> source = TokenSource::Make(token);
  if (!source.ok()) return source.status();
  if (!options.enabled) return Credentials{.tls = nullptr, .server_name = {}, .token = *source};
  if (absl::Status status = CheckTls(options); !status.ok()) return status;
  grpc::experimental::TlsChannelCredentialsOptions made;
  const bool has_own = !options.certificate_file.empty();
  if (has_own || !options.ca_file.empty()) {
    made.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            options.key_file, options.certificate_file, options.ca_file, kLookIntervalS));
    if (has_own) made.watch_identity_key_cert_pairs();
    if (!options.ca_file.empty()) made.watch_root_certs();
  }
  return Credentials{grpc::experimental::TlsCredentials(made), options.server_name, *source};
}

}  // namespace ferrite
