// ferrite-server: puts the parts together, tells where it listens, and waits for a signal.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/standard_descriptors.h"
#include "server/frame_hook.h"
#include "server/log.h"
#include "server/node.h"
#include "server/settings/settings.h"
#include "server/signals.h"
#include "server/tls_hook.h"

extern char** environ;

FERRITE_OPEN_STANDARD_DESCRIPTORS;

namespace {

// What a shell expects of a program that was started wrongly, and of one that failed.
constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable = *each;
    const size_t equals = variable.find('=');
    if (equals != std::string::npos)
      variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return variables;
}

// What the server needs to speak TLS; null if it is not to. It lives as long as the process, as
// gRPC ends connections in its own time. Fails with the file and the reason in the text.
absl::StatusOr<ferrite::TlsFront*> LoadTls(const ferrite::Settings& settings) {
  const absl::Status etcd = ferrite::CheckOutgoing(settings.cluster.etcd_tls, "--etcd-");
  if (!etcd.ok()) return etcd;
  if (!settings.tls.on()) return nullptr;
  ferrite::CertificateFiles files = settings.tls.files;
  files.is_shown = !settings.cluster.name.empty() && !files.client_ca.empty();
  auto certificate = ferrite::ServedCertificate::Load(files);
  if (!certificate.ok()) return certificate.status();
  auto* const tls = new ferrite::TlsFront(*std::move(certificate), settings.tls.clients,
                                          settings.tls.most_handshakes);
  ferrite::HookHandshakes(&tls->handshakes);
  return tls;
}

// Starts the node, or says why it cannot be.
absl::Status StartNode(ferrite::Node* node) {
  try {
    return node->Start();
  } catch (const std::system_error& error) {
    // What a half-made node has started cannot be taken down in order.
    spdlog::error("cannot start: a thread could not be made: {}", error.what());
    std::_Exit(kExitFailure);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto asked = [&arguments](const char* question) {
    return std::find(arguments.begin(), arguments.end(), question) != arguments.end();
  };
  if (asked("--help") || asked("-h")) {
    std::cout << "ferrite-server: a gRPC-native cache. Each flag may also be set as "
                 "FERRITE_<FLAG>, such as "
                 "FERRITE_MAX_MEMORY; of a flag that is given twice, the last one counts, but "
                 "addresses add up.\n"
              << ferrite::FlagHelp();
    return 0;
  }
  if (asked("--version")) {
    std::cout << "ferrite-server " FERRITE_VERSION "\n";
    return 0;
  }
  const absl::StatusOr<ferrite::Settings> settings =
      ferrite::LoadSettings(arguments, Environment());
  if (!settings.ok()) {
    std::cerr << "ferrite-server: " << settings.status().message() << "\n";
    return kExitUsage;
  }
  const absl::StatusOr<ferrite::TlsFront*> tls = LoadTls(*settings);
  if (!tls.ok()) {
    std::cerr << "ferrite-server: " << tls.status().message() << "\n";
    return kExitUsage;
  }
  // gRPC's locks are Abseil's, whose release build looks for cycles among them at each locking: 4 %
  // of the CPU of a server with many streams.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is started, so that all of them leave signals to the wait below.
  const ferrite::Signals signals;
  ferrite::StartLog(settings->json_log, settings->log_level);
  ferrite::Node node(*settings, std::nullopt, ferrite::HookFrames(*settings), *tls);
  if (const absl::Status status = StartNode(&node); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
    return kExitFailure;
  }
  std::printf("ferrite-server ready grpc=%s http=%s\n", node.grpc_address().c_str(),
              node.http_address().c_str());
  std::fflush(stdout);

  const char* const received = signals.AwaitEnd([&node] { return node.ReopenAudit(); });
  spdlog::info("{}: ending within {}; a second one ends at once", received,
               absl::FormatDuration(settings->shutdown_grace));
  node.Shutdown();
  spdlog::info("ended");
  return 0;
}
