#include "server/audit/audit_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

constexpr char kServersLog[] = "-";
constexpr int kMode = 0640;
constexpr std::chrono::seconds kBetweenComplaints(10);

Descriptor OpenToAppend(const std::string& path) {
  return Descriptor(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path) {
  Descriptor file;
  if (path != kServersLog) {
    file = OpenToAppend(path);
    if (!file.valid()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": cannot be opened: ", std::strerror(errno), " (--audit-log)"));
    }
  }
  return std::unique_ptr<AuditLog>(new AuditLog(path, std::move(file)));
}

AuditLog::AuditLog(std::string path, Descriptor file)
    : path_(std::move(path)), file_(std::move(file)), thread_([this] { Run(); }) {}

AuditLog::~AuditLog() {
  {
    MutexLock lock(&mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

bool AuditLog::Admits(Kind kind) {
  MutexLock lock(&mutex_);
  const auto now = Clock::now();
  Room& room = rooms_[static_cast<size_t>(kind)];
  room.records = std::min<double>(
      kAtOnce, room.records + std::chrono::duration<double>(now - room.at).count() * kPerSecond);
  room.at = now;
  const size_t most = kind == Kind::kDenied ? kMostDenialsWaiting : kMostWaiting;
  if (room.records >= 1 && waiting_.size() < most) {
    room.records -= 1;
    return true;
  }
  ++dropped_;
  return false;
}

void AuditLog::Add(AuditRecord record) {
  {
    MutexLock lock(&mutex_);
    waiting_.push_back(std::move(record));
    if (busy_ || waiting_.size() > 1) return;  // it is awake, or has been woken
  }
  changed_.NotifyAll();
}

void AuditLog::Reopen() {
  {
    MutexLock lock(&mutex_);
    reopen_ = true;
  }
  changed_.NotifyAll();
}

AuditCounts AuditLog::counts() const {
  MutexLock lock(&mutex_);
  return {.written = written_, .dropped = dropped_, .failed = failed_};
}

void AuditLog::Run() {
  uint64_t told = 0;  // of those that were dropped
  mutex_.Lock();
  while (true) {
    busy_ = false;
    while (waiting_.empty() && !reopen_ && !stop_) changed_.Wait(&mutex_);
    if (waiting_.empty() && !reopen_) break;
    busy_ = true;
    std::vector<AuditRecord> records;
    records.swap(waiting_);
    const bool reopen = std::exchange(reopen_, false);
    const uint64_t dropped = dropped_;
    mutex_.Unlock();
    // What came before goes to the file that was there before.
    if (Write(records, dropped - told)) told = dropped;
    if (reopen) OpenAnew();
    mutex_.Lock();
  }
  const uint64_t untold = dropped_ - told;
  mutex_.Unlock();
  if (untold > 0) Write({}, untold);
}

void AuditLog::OpenAnew() {
  if (!file_.valid()) return;
  Descriptor file = OpenToAppend(path_);
  if (file.valid()) {
    file_ = std::move(file);
    torn_ = false;
    spdlog::info("the audit log {} was opened anew", path_);
  } else {
    spdlog::error("the audit log stays the file that it was: {}: {}", path_, std::strerror(errno));
  }
}

bool AuditLog::Write(const std::vector<AuditRecord>& records, uint64_t dropped) {
  std::string text;
  const auto add = [&](const std::string& line) {
    file_.valid() ? absl::StrAppend(&text, line, "\n") : spdlog::info("audit: {}", line);
  };
  if (dropped > 0) add(DroppedToJson(dropped, std::chrono::system_clock::now()));
  for (const AuditRecord& record : records) add(ToJson(record));
  const bool is_written = WriteText(text);
  (is_written ? written_ : failed_) += records.size();
  return is_written;
}

bool AuditLog::WriteText(std::string_view text) {
  if (torn_ && !text.empty()) {
    if (write(file_.get(), "\n", 1) != 1) return false;
    torn_ = false;
  }
  const size_t whole = text.size();
  while (!text.empty()) {
    const ssize_t bytes = write(file_.get(), text.data(), text.size());
    if (bytes > 0) {
      text.remove_prefix(static_cast<size_t>(bytes));
    } else if (errno != EINTR) {
      const auto now = Clock::now();
      if (now - complained_at_ >= kBetweenComplaints) {
        complained_at_ = now;
        spdlog::error("the audit log is not written: {}: {}", path_, std::strerror(errno));
      }
      torn_ = text.size() < whole;
      return false;
    }
  }
  return true;
}

}  // namespace ferrite
