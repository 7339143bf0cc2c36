#include "server/auth/policy_file.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/auth/disposable_token.h"
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

constexpr size_t kMaxKeySetBytes = size_t{1} << 20;

// At most one byte more than that. Absent if it cannot be read.
std::optional<std::string> TextOf(const std::string& path, size_t most_bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text;
  for (char piece[1 << 16]; text.size() <= most_bytes;) {
    file.read(piece, sizeof piece);
    text.append(piece, static_cast<size_t>(file.gcount()));
    if (!file) break;
  }
  if (file.bad() || (file.fail() && !file.eof())) return std::nullopt;
  return text;
}

}  // namespace

PolicyFile::PolicyFile(std::string path, PublishedPolicy* published, std::function<void()> changed,
                       Apply apply, std::string folder, std::string token_key_file)
    : path_(std::move(path)),
      folder_(folder.empty() ? std::filesystem::path(path_).parent_path().string()
                             : std::move(folder)),
      token_key_file_(std::move(token_key_file)),
      published_(*published),
      changed_(std::move(changed)),
      apply_(std::move(apply)) {}

PolicyFile::State PolicyFile::Look(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return {};
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .written_ns = Ns(found.st_mtim),
          .changed_ns = Ns(found.st_ctim),
          .text = {}};
}

bool PolicyFile::SameStamp(const State& one, const State& other) {
  return one.device == other.device && one.inode == other.inode && one.size == other.size &&
         one.written_ns == other.written_ns && one.changed_ns == other.changed_ns;
}

absl::Status PolicyFile::Load() {
  absl::Status status = Read();
  in_force_ = status.ok();
  loaded_ += status.ok();
  return status;
}

absl::StatusOr<std::string> PolicyFile::ReadFile(const std::string& path, size_t most_bytes) {
  // Looked at first: what is written in between is then read again.
  State& state = files_[path] = Look(path);
  std::optional<std::string> text = TextOf(path, most_bytes);
  if (!text.has_value()) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  }
  if (text->size() > most_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": it has more than ", most_bytes, " bytes, which is the limit"));
  }
  state.text = *text;
  return *std::move(text);
}

absl::Status PolicyFile::Read() {
  files_.clear();
  const absl::StatusOr<std::string> text = ReadFile(path_, policy::kMaxPolicyBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<policy::PolicyRules> rules = policy::ReadPolicy(*text, path_);
  if (!rules.ok()) return rules.status();
  std::vector<KnownIssuer> issuers;
  std::optional<TokenSigner> signer;
  // Which comes first, as it is found by its name.
  if (absl::Status status = ReadOwnKeys(&issuers, &signer); !status.ok()) return status;
  if (absl::Status status = ReadIssuers(*rules, &issuers); !status.ok()) return status;
  if (absl::Status status = apply_(*rules); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path_, ": ", status.message()));
  }
  Publish(std::make_shared<const LoadedPolicy>(*std::move(rules), std::move(issuers),
                                               std::move(signer)));
  return absl::OkStatus();
}

absl::Status PolicyFile::ReadIssuers(const policy::PolicyRules& rules,
                                     std::vector<KnownIssuer>* issuers) {
  uint64_t left_out = 0;
  for (const policy::Issuer& issuer : rules.issuers) {
    const std::string path = (std::filesystem::path(folder_) / issuer.jwks_file).string();
    const absl::StatusOr<std::string> key_set = ReadFile(path, kMaxKeySetBytes);
    if (!key_set.ok()) return key_set.status();
    absl::StatusOr<KeySet> keys = ReadSigningKeys(*key_set, path);
    if (!keys.ok()) return keys.status();
    for (const std::string& each : keys->left_out) spdlog::warn("{}: {}", path, each);
    left_out += keys->left_out.size();
    issuers->push_back({issuer, std::move(keys->keys)});
  }
  keys_left_out_ = left_out;
  return absl::OkStatus();
}

absl::Status PolicyFile::ReadOwnKeys(std::vector<KnownIssuer>* issuers,
                                     std::optional<TokenSigner>* signer) {
  if (token_key_file_.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> text = ReadFile(token_key_file_, kMaxKeySetBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<TokenKeys> keys = ReadTokenKeys(*text, token_key_file_);
  if (!keys.ok()) return keys.status();
  *signer = std::move(keys->signer);
  issuers->push_back({OwnIssuer(), std::move(keys->accepted), /*is_own=*/true});
  return absl::OkStatus();
}

void PolicyFile::Publish(std::shared_ptr<const LoadedPolicy> policy) {
  if (loaded_ > 0 && policy->SameAs(*published_.Now())) {
    spdlog::info("the policy in {} says what it said before", path_);
    return;
  }
  const policy::PolicyRules& rules = policy->policy().rules();
  spdlog::info("the policy in {} is in force: {} roles, {} bindings", path_, rules.roles.size(),
               rules.bindings.size());
  published_.Publish(std::move(policy));
  if (loaded_ > 0) changed_();
}

bool PolicyFile::AllSame(bool* settled) const {
  *settled = true;
  for (const auto& [path, state] : files_) {
    const State now = Look(path);
    if (!SameStamp(now, state)) return false;
    *settled &= NowNs() - now.changed_ns > kSettledAfterNs;
  }
  return true;
}

void PolicyFile::LookOnce() {
  bool settled = false;
  const bool is_same = AllSame(&settled);
  if (is_same && settled_) return;
  settled_ = is_same && settled;
  if (is_same) {
    // Perhaps there is more of it by now: what is written in place is not there at once.
    const bool has_changed = std::any_of(files_.begin(), files_.end(), [](const auto& file) {
      const std::optional<std::string> text = TextOf(file.first, policy::kMaxPolicyBytes);
      return text.has_value() && *text != file.second.text;
    });
    if (!has_changed) return;
  }
  const absl::Status status = Read();
  in_force_ = status.ok();
  if (status.ok()) {
    ++loaded_;
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
