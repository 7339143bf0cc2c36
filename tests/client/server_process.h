#pragma once

// The real ferrite-server, on a port of its own.

#include <signal.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/client/child_process.h"

namespace ferrite {

class ServerProcess {
 public:
  // Starts the server and waits until it serves. Port 0: any that is free.
  explicit ServerProcess(const std::string& listen = "127.0.0.1:0",
                         const std::vector<std::string>& flags = {}) {
    std::vector<std::string> command = {FERRITE_SERVER_PATH, "--listen=" + listen,
                                        "--http-listen=", "--log-level=warning"};
    command.insert(command.end(), flags.begin(), flags.end());
    process_ = std::make_unique<ChildProcess>(command, "", std::vector<std::string>(),
                                              /*keep_stderr=*/false);
    const std::optional<std::string> ready = process_->ReadLine();
    if (!ready.has_value()) throw std::runtime_error("the server ended before it was ready");
    const std::string mark = "grpc=";
    const size_t start = ready->find(mark) + mark.size();
    address_ = ready->substr(start, ready->find(' ', start) - start);
  }

  const std::string& address() const { return address_; }

  // Kills it, as a crash would.
  void Kill() {
    process_->Signal(SIGKILL);
    process_->Wait();
  }
  // Ends it as an operator would.
  void Stop() {
    process_->Signal(SIGTERM);
    process_->Wait();
  }
  // Freeze it with its connections open, and let it continue.
  void Freeze() { process_->Freeze(); }
  void Thaw() { process_->Signal(SIGCONT); }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string address_;
};

}  // namespace ferrite
