#include "client/cli/help_formatter.h"

#include <sstream>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/fold.h"

namespace ferrite::cli {
namespace {

constexpr size_t kHelpColumns = 80;

std::string InLines(const std::string& description, size_t width) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(description, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    lines.push_back(absl::StrJoin(Folded(words, " ", width), "\n"));
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return InLines(CLI::Formatter::make_description(app), kHelpColumns);
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return InLines(option->get_description(), kHelpColumns - get_column_width());
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  std::ostringstream out;
  CLI::detail::format_help(out, command->get_display_name(true),
                           InLines(command->get_description(), kHelpColumns - get_column_width()),
                           get_column_width());
  return out.str();
}

}  // namespace ferrite::cli
