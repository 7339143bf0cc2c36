#include "server/auth/policy_file.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/policy/policy_reader.h"

namespace ferrite {
namespace {

// The same on every node within a second.
constexpr std::chrono::milliseconds kBetweenLooks(200);
// Two writes within the grain of a file system's clock look alike.
constexpr int64_t kSettledAfterNs = 2'000'000'000;

int64_t Ns(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

int64_t NowNs() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  }
  std::string text;
  // One byte more than is allowed, for whoever complains of it.
  for (char piece[1 << 16]; text.size() <= policy::kMaxPolicyBytes;) {
    file.read(piece, sizeof piece);
    text.append(piece, static_cast<size_t>(file.gcount()));
    if (!file) break;
  }
  if (file.bad()) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  return text;
}

}  // namespace

PolicyFile::Stamp PolicyFile::StampOf(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return {};
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .written_ns = Ns(found.st_mtim),
          .changed_ns = Ns(found.st_ctim)};
}

absl::Status PolicyFile::Load() {
  stamp_ = StampOf(path_);
  absl::Status status = Read();
  in_force_ = status.ok();
  loaded_ += status.ok();
  return status;
}

absl::Status PolicyFile::Read() {
  absl::StatusOr<std::string> text = ReadFile(path_);
  if (!text.ok()) return text.status();
  text_ = *std::move(text);
  absl::StatusOr<policy::PolicyRules> rules = policy::ReadPolicy(text_, path_);
  if (!rules.ok()) return rules.status();
  const size_t roles = rules->roles.size();
  const size_t bindings = rules->bindings.size();
  published_.Publish(std::make_shared<const LoadedPolicy>(*std::move(rules)));
  spdlog::info("the policy in {} is in force: {} roles, {} bindings", path_, roles, bindings);
  return absl::OkStatus();
}

void PolicyFile::LookOnce() {
  const Stamp now = StampOf(path_);
  const bool is_same = now == stamp_;
  if (is_same && settled_) return;
  settled_ = is_same && NowNs() - now.changed_ns > kSettledAfterNs;
  stamp_ = now;
  if (is_same) {
    // Perhaps there is more of it by now: what is written in place is not there at once.
    const absl::StatusOr<std::string> text = ReadFile(path_);
    if (text.ok() && *text == text_) return;
    if (!text.ok() && !in_force_) return;
  }
  const absl::Status status = Read();
  in_force_ = status.ok();
  if (status.ok()) {
    ++loaded_;
    changed_();
    return;
  }
  ++refused_;
  spdlog::error("the policy file is refused, and the policy before it stays in force: {}",
                std::string(status.message()));
}

void PolicyFile::Watch() {
  thread_ = std::thread([this] { Run(); });
}

void PolicyFile::Run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kBetweenLooks, [this] { return stop_; })) {
    lock.unlock();
    LookOnce();
    lock.lock();
  }
}

void PolicyFile::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace ferrite
