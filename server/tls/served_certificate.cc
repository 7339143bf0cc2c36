#include "server/tls/served_certificate.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>
#include <variant>

namespace ferrite {
namespace {

// Three calls of stat() each time, which work on every file system.
constexpr std::chrono::milliseconds kLookInterval(500);

std::vector<std::string> PathsOf(const CertificateFiles& files) {
  std::vector<std::string> paths = {files.certificate, files.key};
  if (!files.client_ca.empty()) paths.push_back(files.client_ca);
  return paths;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedCertificate>> ServedCertificate::Load(
    const CertificateFiles& files, const Clock* clock) {
  FileStamps stamps = StampsOf(PathsOf(files));
  std::variant<Certificate, CertificateRefusal> loaded =
      LoadCertificate(files, clock->UnixMs() / 1000);
  if (const auto* refusal = std::get_if<CertificateRefusal>(&loaded))
    return absl::InvalidArgumentError(refusal->text);
  // Its constructor is private.
  return std::unique_ptr<ServedCertificate>(new ServedCertificate(
      files, clock, std::move(stamps), std::get<Certificate>(std::move(loaded))));
}

ServedCertificate::ServedCertificate(const CertificateFiles& files, const Clock* clock,
                                     FileStamps stamps, Certificate certificate)
    : files_(files),
      paths_(PathsOf(files)),
      clock_(*clock),
      current_(std::make_shared<const Certificate>(std::move(certificate))),
      judged_(std::move(stamps)) {
  if (!files_.is_shown) return;
  pair_.emplace(current_->key_pem + current_->chain_pem);
  authorities_.emplace(current_->client_ca_pem);
}

ServedCertificate::~ServedCertificate() {
  {
    MutexLock lock(&mutex_);
    ends_ = true;
  }
  end_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void ServedCertificate::Watch() {
  thread_ = std::thread([this] { Run(); });
}

void ServedCertificate::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      const auto next = std::chrono::steady_clock::now() + kLookInterval;
      while (!ends_ && end_.WaitUntil(&mutex_, next)) {
      }
      if (ends_) return;
    }
    Look();
  }
}

void ServedCertificate::Look() {
  const FileStamps stamps = StampsOf(paths_);
  {
    MutexLock lock(&mutex_);
    if (stamps == judged_ && is_current()) return;
    if (stamps != seen_) {
      seen_ = stamps;
      return;
    }
  }
  std::variant<Certificate, CertificateRefusal> loaded = LoadCertificate(files_, UnixSeconds());
  if (StampsOf(paths_) != stamps) return;
  MutexLock lock(&mutex_);
  const bool is_new = stamps != judged_;
  if (auto* certificate = std::get_if<Certificate>(&loaded)) {
    if (!Take(std::move(*certificate))) return;
  } else if (is_new) {
    Refuse(std::get<CertificateRefusal>(loaded));
  }
  judged_ = stamps;
}

bool ServedCertificate::Take(Certificate certificate) {
  if (certificate == *current_) {
    is_current_.store(true, std::memory_order_relaxed);
    return true;
  }
  if ((pair_.has_value() && !pair_->Replace(certificate.key_pem + certificate.chain_pem)) ||
      (authorities_.has_value() && !authorities_->Replace(certificate.client_ca_pem))) {
    is_current_.store(false, std::memory_order_relaxed);
    spdlog::error("TLS: there is no descriptor or no memory for a renewed certificate");
    return false;
  }
  is_current_.store(true, std::memory_order_relaxed);
  spdlog::info("TLS: new connections get the renewed certificate of {}, which expires at {}",
               files_.certificate, UtcText(certificate.expires_unix_s));
  current_ = std::make_shared<const Certificate>(std::move(certificate));
  generation_.fetch_add(1, std::memory_order_release);
  return true;
}

void ServedCertificate::Refuse(const CertificateRefusal& refusal) {
  is_current_.store(false, std::memory_order_relaxed);
  refused_[static_cast<size_t>(refusal.fault)].fetch_add(1, std::memory_order_relaxed);
  spdlog::error("TLS: a new certificate is refused: {}; the one that expires at {} stays",
                refusal.text, UtcText(current_->expires_unix_s));
}

std::shared_ptr<const Certificate> ServedCertificate::current() const {
  MutexLock lock(&mutex_);
  return current_;
}

OutgoingTls ServedCertificate::ForPeers() const {
  MutexLock lock(&mutex_);
  if (!pair_.has_value()) return {.enabled = true};
  return {.enabled = true,
          .ca_file = authorities_->path(),
          .certificate_file = pair_->path(),
          .key_file = pair_->path()};
}

int64_t ServedCertificate::expires_in_s() const {
  return current()->expires_unix_s - UnixSeconds();
}

}  // namespace ferrite
