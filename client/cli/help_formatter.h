#pragma once

// The help of a command, in lines of up to 80 columns.

#include <string>

#include "CLI/CLI.hpp"

namespace ferrite::cli {

// CLI11's form, but that long descriptions go on below their beginning.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace ferrite::cli
