#pragma once

// The certificate in force, and its renewal: whoever renews it replaces the files, in whatever way
// and order, and new connections get the new one. One that is no good is refused, and the old one
// stays.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/tls/certificate.h"
#include "server/tls/file_stamps.h"
#include "server/tls/outgoing_tls.h"
#include "server/tls/private_file.h"

namespace ferrite {

// Thread-safe.
class ServedCertificate {
 public:
  // INVALID_ARGUMENT, with the flag, the file and the reason, if it cannot be served. The clock
  // says what is valid, and must outlive it.
  static absl::StatusOr<std::unique_ptr<ServedCertificate>> Load(
      const CertificateFiles& files, const Clock* clock = &Clock::System());
  // Ends the thread.
  ~ServedCertificate();
  ServedCertificate(const ServedCertificate&) = delete;
  ServedCertificate& operator=(const ServedCertificate&) = delete;

  // Looks at the files twice a second from now on, on a thread of its own. Call it once. Throws
  // std::system_error if no thread can be made.
  void Watch();
  // Looks at the files. They may be half written: even what can be read and fits together may lack
  // an authority that is still to come. So they are judged when two looks have found the same.
  void Look();

  std::shared_ptr<const Certificate> current() const;
  // What this server shows and believes where it calls others: its own certificate, and authorities
  // of clients, but never what is refused; where the certificate is not shown, nothing and whom the
  // system believes. Valid for as long as this.
  OutgoingTls ForPeers() const;
  // Grows with each that is taken. Takes no lock.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Until it expires; negative when it has.
  int64_t expires_in_s() const;

  // How many were taken in place of another; how many were refused, by reason.
  uint64_t renewed() const { return generation() - 1; }
  uint64_t refused(CertificateFault fault) const {
    return refused_[static_cast<size_t>(fault)].load(std::memory_order_relaxed);
  }
  // Whether the one in force is that of the files.
  bool is_current() const { return is_current_.load(std::memory_order_relaxed); }

 private:
  ServedCertificate(const CertificateFiles& files, const Clock* clock, FileStamps stamps,
                    Certificate certificate);

  void Run();
  int64_t UnixSeconds() const { return clock_.UnixMs() / 1000; }
  // Whether it did; else the next look does.
  bool Take(Certificate certificate) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refuse(const CertificateRefusal& refusal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CertificateFiles files_;
  const std::vector<std::string> paths_;
  const Clock& clock_;
  std::atomic<uint64_t> generation_{1};
  std::array<std::atomic<uint64_t>, kCertificateFaults> refused_{};
  std::atomic<bool> is_current_{true};

  mutable Mutex mutex_;
  Condition end_;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Certificate> current_ ABSL_GUARDED_BY(mutex_);
  // For ForPeers(), where it is shown: key and chain, and whom to believe.
  std::optional<PrivateFile> pair_ ABSL_GUARDED_BY(mutex_);
  std::optional<PrivateFile> authorities_ ABSL_GUARDED_BY(mutex_);
  FileStamps judged_ ABSL_GUARDED_BY(mutex_);  // what these files hold was taken or refused
  FileStamps seen_ ABSL_GUARDED_BY(mutex_);    // by the last look
  std::thread thread_;
};

}  // namespace ferrite
