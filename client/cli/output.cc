#include "client/cli/output.h"

#include <cerrno>
#include <cstdio>
#include <string>

#include "client/cli/terminal.h"

namespace ferrite::cli {
namespace {

bool reader_is_gone = false;

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

void PrintRaw(std::string_view bytes) {
  Write(stdout, bytes);
  if (OutputIsTerminal()) Write(stdout, "\n");
}

void PrintLine(std::string_view line) {
  Write(stdout, line);
  Write(stdout, "\n");
}

void PrintNote(std::string_view line) {
  Write(stderr, line);
  Write(stderr, "\n");
}

bool FlushOutput() {
  if (std::fflush(stdout) != 0 && errno == EPIPE) reader_is_gone = true;
  return std::ferror(stdout) == 0;
}

bool OutputFailed() { return std::ferror(stdout) != 0; }

bool ReaderIsGone() { return reader_is_gone; }

}  // namespace ferrite::cli
