#include "server/engine/grpc/grpc_log.h"

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace ferrite {
namespace {

// Lines for each handshake that fails or names another server, and for each connection that is cut,
// of which anybody can make many; whoever counts them says why.
constexpr std::string_view kOfHandshakes[] = {"Handshake failed", "No match found for server name",
                                              "SSL_read failed", "Decryption error"};

bool IsOfHandshake(std::string_view message) {
  return std::any_of(std::begin(kOfHandshakes), std::end(kOfHandshakes),
                     [&](std::string_view beginning) { return message.starts_with(beginning); });
}

void Log(gpr_log_func_args* line) {
  const bool is_detail = line->severity == GPR_LOG_SEVERITY_DEBUG || IsOfHandshake(line->message);
  const auto level = is_detail ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "gRPC: {}", line->message);
}

}  // namespace

void LogGrpc() { gpr_set_log_function(Log); }

}  // namespace ferrite
