#include "server/engine/grpc/grpc_log.h"

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

namespace ferrite {
namespace {

void Log(gpr_log_func_args* line) {
  const auto level =
      line->severity == GPR_LOG_SEVERITY_DEBUG ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "gRPC: {}", line->message);
}

}  // namespace

void LogGrpc() { gpr_set_log_function(Log); }

}  // namespace ferrite
