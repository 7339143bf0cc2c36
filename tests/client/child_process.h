#pragma once

// A program that a test runs.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace ferrite {

class ChildProcess {
 public:
  // Starts `command` with `input` on its standard input. It inherits the environment without
  // FERRITE_*, plus `environment` ("NAME=VALUE"). With `keep_stderr` its standard error is
  // captured, otherwise inherited.
  explicit ChildProcess(const std::vector<std::string>& command, const std::string& input = "",
                        const std::vector<std::string>& environment = {}, bool keep_stderr = true);
  // Kills the process if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void Signal(int signal) const;

  // Stops the process and waits until it has stopped. SIGCONT lets it continue.
  void Freeze() const;

  // Waits for the next line that the process prints, without its line feed; absent at the end of
  // its output.
  std::optional<std::string> ReadLine();

  // Reads the rest of what it prints, waits for its end, and returns its exit code, or 128 + the
  // signal that ended it.
  int Wait();

  // What it has printed; complete after Wait().
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  // Reads what the process has printed; false if there will be no more.
  bool ReadSome();

  pid_t pid_ = -1;
  int out_pipe_ = -1;
  int err_pipe_ = -1;
  std::string out_;
  std::string err_;
  size_t read_lines_end_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace ferrite
