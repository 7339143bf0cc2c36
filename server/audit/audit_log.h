#pragma once

// What was denied, what operators did, and how the policy changed, as lines of JSON in a file that
// grows. A thread of its own writes, so no call waits for a disk; what comes too fast, or finds the
// disk full, is counted instead.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/descriptor.h"
#include "base/mutex.h"
#include "server/audit/audit_record.h"

namespace ferrite {

struct AuditCounts {
  uint64_t written = 0;
  uint64_t dropped = 0;  // there were too many
  uint64_t failed = 0;   // they could not be written
};

// Thread-safe.
class AuditLog {
 public:
  // Records that wait, a second, and at once. What was denied has limits of its own, so whoever is
  // denied leaves room for what was done.
  static constexpr size_t kMostWaiting = 4096;
  static constexpr size_t kMostDenialsWaiting = kMostWaiting / 2;
  static constexpr uint64_t kPerSecond = 1000;
  static constexpr uint64_t kAtOnce = 2000;
  enum class Kind : size_t { kDone, kDenied };

  // `path`: a file, which is appended to, or "-" for the log of the server. Fails with the file and
  // the reason if it cannot be opened.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path);
  // Writes what waits.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Whether one more may be added now; if not, it is counted as dropped. Asked before a record is
  // made, as under attack most are dropped.
  bool Admits(Kind kind);
  void Add(AuditRecord record);

  // Opens the file anew, soon: somebody has renamed it. If it cannot be opened, the old one stays.
  void Reopen();

  AuditCounts counts() const;

 private:
  using Clock = std::chrono::steady_clock;

  // For so many more, at a time.
  struct Room {
    double records = kAtOnce;
    Clock::time_point at = Clock::now();
  };

  AuditLog(std::string path, Descriptor file);
  void Run();
  void OpenAnew();
  // Whether all was written.
  bool Write(const std::vector<AuditRecord>& records, uint64_t dropped);
  // Whether all of it is written. After a part, the next begins a line of its own.
  bool WriteText(std::string_view text);

  const std::string path_;
  Descriptor file_;    // of the thread that writes; none: the log of the server
  bool torn_ = false;  // the last line of the file has no end
  Clock::time_point complained_at_{};

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<AuditRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  std::array<Room, 2> rooms_ ABSL_GUARDED_BY(mutex_);  // by Kind
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool reopen_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> failed_{0};
  std::thread thread_;
};

}  // namespace ferrite
