#include "tests/server/cluster/etcd/etcd_process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/check.h"

namespace ferrite::cluster {

int EtcdProcess::FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  FERRITE_CHECK(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  FERRITE_CHECK(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(descriptor);
  return ntohs(address.sin_port);
}

EtcdProcess::EtcdProcess(std::vector<Peer> peers, size_t self)
    : peers_(std::move(peers)), self_(self), port_(FreePort()) {
  std::string name = (std::filesystem::temp_directory_path() / "ferrite-etcd-XXXXXX").string();
  FERRITE_CHECK(mkdtemp(name.data()) != nullptr);
  folder_ = name;
}

EtcdProcess::~EtcdProcess() {
  Kill();
  std::filesystem::remove_all(folder_);
}

void EtcdProcess::Start() {
  const auto url = [](int port) { return "http://127.0.0.1:" + std::to_string(port); };
  std::string members;
  for (const Peer& peer : peers_)
    members += (members.empty() ? "" : ",") + peer.name + "=" + url(peer.port);
  const std::vector<std::string> arguments = {"etcd",
                                              "--name",
                                              peers_[self_].name,
                                              "--data-dir",
                                              folder_ / "data",
                                              "--initial-cluster",
                                              members,
                                              "--initial-advertise-peer-urls",
                                              url(peers_[self_].port),
                                              "--listen-peer-urls",
                                              url(peers_[self_].port),
                                              "--listen-client-urls",
                                              url(port_),
                                              "--advertise-client-urls",
                                              url(port_),
                                              "--heartbeat-interval",
                                              "50",
                                              "--election-timeout",
                                              "500",
                                              "--logger",
                                              "zap",
                                              "--log-outputs",
                                              "stderr"};
  std::vector<char*> words;
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  int ends[2];
  FERRITE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t parent = getpid();
  process_ = fork();
  FERRITE_CHECK(process_ >= 0);
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    dup2(ends[1], STDERR_FILENO);
    execvp("etcd", words.data());
    _exit(127);
  }
  close(ends[1]);
  log_ = ends[0];
}

void EtcdProcess::AwaitReady() {
  std::string log;
  char bytes[4096];
  while (log.find("serving client traffic") == std::string::npos) {
    const ssize_t count = read(log_, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      std::fprintf(stderr, "etcd ended before it served:\n%s\n", log.c_str());
      std::abort();
    }
    log.append(bytes, static_cast<size_t>(count));
  }
  log_reader_ = std::thread([descriptor = log_] {
    char rest[4096];
    while (read(descriptor, rest, sizeof rest) > 0) {
    }
  });
}

void EtcdProcess::Kill() {
  if (process_ < 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
  if (log_reader_.joinable()) log_reader_.join();
  close(log_);
}

void EtcdProcess::Pause() {
  kill(process_, SIGSTOP);
  int status;
  waitpid(process_, &status, WUNTRACED);
}

void EtcdProcess::Resume() { kill(process_, SIGCONT); }

}  // namespace ferrite::cluster
