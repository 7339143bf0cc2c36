#include "client/cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>

namespace ferrite::cli {
namespace {

// Threads of the client print, too.
std::atomic<bool> reader_is_gone = false;

void Write(std::FILE* file, std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) < bytes.size() && file == stdout &&
      errno == EPIPE) {
    reader_is_gone = true;
  }
}

}  // namespace

nlohmann::ordered_json WithIntegersAsText(nlohmann::ordered_json value) {
  if (value.is_number_integer()) return value.dump();
  if (value.is_structured()) {
    for (nlohmann::ordered_json& part : value) part = WithIntegersAsText(std::move(part));
  }
  return value;
}

std::string JsonText(const nlohmann::ordered_json& value) {
  return WithIntegersAsText(value).dump(-1, ' ', false,
                                        nlohmann::ordered_json::error_handler_t::replace);
}

void PrintJson(const nlohmann::ordered_json& value) { PrintLine(JsonText(value)); }

void PrintBytes(std::string_view bytes) { Write(stdout, bytes); }

void PrintLine(std::string_view line) {
  Write(stdout, line);
  Write(stdout, "\n");
}

void PrintNote(std::string_view line) {
  Write(stderr, line);
  Write(stderr, "\n");
}

void PrintUnfinishedNote(std::string_view text) {
  Write(stderr, text);
  std::fflush(stderr);
}

bool FlushOutput() {
  if (std::fflush(stdout) != 0 && errno == EPIPE) reader_is_gone = true;
  return std::ferror(stdout) == 0;
}

bool OutputFailed() { return std::ferror(stdout) != 0; }

bool ReaderIsGone() { return reader_is_gone; }

bool IsRead() {
  pollfd output = {STDOUT_FILENO, 0, 0};  // an error is told without being asked for
  if (poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0) reader_is_gone = true;
  return !reader_is_gone;
}

}  // namespace ferrite::cli
