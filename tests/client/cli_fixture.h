#pragma once

// Verbs for tests of the `ferrite` command.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/client/child_process.h"
#include "tests/client/server_process.h"

namespace ferrite {

// `value` with the integers, which the command prints as strings, as numbers.
inline nlohmann::json WithIntegers(nlohmann::json value) {
  if (value.is_structured()) {
    for (nlohmann::json& part : value) part = WithIntegers(std::move(part));
  }
  if (!value.is_string()) return value;
  const std::string text = value;
  const bool digits =
      !text.empty() && text.find_first_not_of("0123456789", text[0] == '-') == std::string::npos;
  return digits ? nlohmann::json(std::stoll(text)) : value;
}

// The outcome of a command.
struct Result {
  int exit_code;
  std::string out;
  std::string err;

  nlohmann::json Json() const {
    return nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
  }
  nlohmann::json Numbers() const { return WithIntegers(Json()); }
};

inline Result RunCommand(const std::vector<std::string>& command, const std::string& input = "",
                         const std::vector<std::string>& environment = {}) {
  ChildProcess process(command, input, environment);
  const int exit_code = process.Wait();
  return {exit_code, process.out(), process.err()};
}

// One server for all tests of a suite, emptied before each.
class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new ServerProcess(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { ASSERT_EQ(Ferrite({"flush", "--yes"}).exit_code, 0); }

  static Result Ferrite(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    return RunCommand(arguments, input, {"FERRITE_SERVER=" + server_->address()});
  }

  static ServerProcess* server_;
};

}  // namespace ferrite
