#include "tests/client/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ferrite {
namespace {

// Conditions without which a test cannot continue.
void Require(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::abort();
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& additions) {
  std::vector<std::string> all = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "FERRITE_", 8) != 0) all.push_back(*entry);
  }
  return all;
}

// A file without a name that holds `content`, ready to be read.
int FileOf(const std::string& content) {
  const int file = memfd_create("input", MFD_CLOEXEC);
  Require(file >= 0, "memfd_create");
  Require(write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
          "write");
  lseek(file, 0, SEEK_SET);
  return file;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const std::string& input,
                           const std::vector<std::string>& environment, bool keep_stderr) {
  int out[2];
  int err[2] = {-1, -1};
  Require(pipe2(out, O_CLOEXEC) == 0, "pipe");
  if (keep_stderr) Require(pipe2(err, O_CLOEXEC) == 0, "pipe");
  const int in = FileOf(input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  if (keep_stderr) posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  const std::vector<std::string> variables = EnvironmentWith(environment);
  const int error = posix_spawnp(&pid_, command[0].c_str(), &actions, nullptr,
                                 Pointers(command).data(), Pointers(variables).data());
  Require(error == 0, command[0].c_str());
  posix_spawn_file_actions_destroy(&actions);
  close(in);
  close(out[1]);
  out_pipe_ = out[0];
  if (keep_stderr) {
    close(err[1]);
    err_pipe_ = err[0];
  }
}

ChildProcess::~ChildProcess() {
  if (!exit_code_.has_value()) {
    Signal(SIGKILL);
    Wait();
  }
}

void ChildProcess::Signal(int signal) const {
  if (pid_ > 0 && !exit_code_.has_value()) kill(pid_, signal);
}

void ChildProcess::Freeze() const {
  Signal(SIGSTOP);
  int status;
  Require(waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status), "waitpid");
}

bool ChildProcess::ReadSome() {
  pollfd pipes[] = {{out_pipe_, POLLIN, 0},
                    {err_pipe_, POLLIN, 0}};  // poll ignores negative descriptors
  if (out_pipe_ < 0 && err_pipe_ < 0) return false;
  Require(poll(pipes, 2, -1) > 0, "poll");
  const auto take = [](const pollfd& ready, int* pipe, std::string* text) {
    if (*pipe < 0 || ready.revents == 0) return;
    char buffer[1 << 16];
    const ssize_t size = read(*pipe, buffer, sizeof(buffer));
    if (size > 0) {
      text->append(buffer, size);
      return;
    }
    close(*pipe);
    *pipe = -1;
  };
  take(pipes[0], &out_pipe_, &out_);
  take(pipes[1], &err_pipe_, &err_);
  return true;
}

std::optional<std::string> ChildProcess::ReadLine() {
  size_t end;
  while ((end = out_.find('\n', read_lines_end_)) == std::string::npos) {
    if (out_pipe_ < 0 || !ReadSome()) return std::nullopt;
  }
  std::string line = out_.substr(read_lines_end_, end - read_lines_end_);
  read_lines_end_ = end + 1;
  return line;
}

int ChildProcess::Wait() {
  if (exit_code_.has_value()) return *exit_code_;
  while (ReadSome()) {
  }
  int status;
  Require(waitpid(pid_, &status, 0) == pid_, "waitpid");
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *exit_code_;
}

}  // namespace ferrite
