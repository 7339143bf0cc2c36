#include "server/etcd_policy.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/auth/signing_keys.h"
#include "server/call/namespace_name.h"
#include "server/call/status.h"
#include "server/cluster/core/txn.h"
#include "server/policy/policy_reader.h"

namespace ferrite {
namespace {

// Watches give hints only, so it is read again now and then; sooner if etcd did not answer.
constexpr std::chrono::seconds kBetweenReads{5};
constexpr std::chrono::milliseconds kAfterSilence{300};
constexpr std::chrono::seconds kTimeout{1};
constexpr char kDeniesAll[] = "roles: []\n";

// Whether somebody may put the next one.
bool HasAdministrator(const policy::PolicyRules& rules) {
  return std::any_of(rules.bindings.begin(), rules.bindings.end(), [&rules](const auto& binding) {
    const auto home = rules.homes.find(binding.first);
    const std::string_view at = home == rules.homes.end() ? kDefaultNamespace : home->second;
    return std::any_of(binding.second.begin(), binding.second.end(), [&](uint32_t place) {
      const policy::Role& role = rules.roles[place];
      return role.verbs.Have(policy::Verb::kAdmin) && !role.redacted &&
             role.HoldsIn(kDefaultNamespace, at);
    });
  });
}

// INVALID_ARGUMENT with the reason if it cannot be read.
absl::StatusOr<std::string> TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) return absl::InvalidArgumentError("cannot be read");
  return text;
}

absl::Status Invalid(const std::string& why) {
  return InvalidArgument(v1::POLICY_INVALID, absl::StrCat(why, "; nothing was changed"));
}

absl::Status Silent(const std::string& error, bool is_unknown) {
  return MakeError(
      absl::StatusCode::kUnavailable, v1::ETCD_SILENT,
      absl::StrCat("etcd: ", error,
                   is_unknown ? "; the policy may have been put" : "; nothing was put"),
      {{"executed", is_unknown ? "unknown" : "no"}});
}

}  // namespace

EtcdPolicy::EtcdPolicy(Options options)
    : options_(std::move(options)),
      key_(cluster::Keys(options_.cluster).policy()),
      mirror_(kDeniesAll) {}

std::string EtcdPolicy::folder() const {
  return std::filesystem::path(options_.file).parent_path().string();
}

absl::Status EtcdPolicy::CheckFile() const {
  const absl::StatusOr<std::string> text = TextOf(options_.file);
  const absl::Status status = text.ok() ? Judge(*text) : text.status();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrCat("--policy: ", options_.file, ": ", std::string(status.message())));
}

void EtcdPolicy::Start() {
  etcd_.emplace(
      cluster::EtcdOptions{.endpoints = options_.endpoints, .credentials = options_.credentials});
  etcd_->Watch(key_, cluster::EndOfPrefix(key_), [this](const mvccpb::Event&) {
    MutexLock lock(&mutex_);
    due_ = Clock::now();
    changed_.NotifyAll();
  });
  thread_ = std::thread([this] {
    prctl(PR_SET_NAME, "policy");
    Run();
  });
}

void EtcdPolicy::Stop() {
  {
    MutexLock lock(&mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  {
    MutexLock lock(&call_mutex_);
    ends_ = true;
  }
  etcd_.reset();
}

void EtcdPolicy::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!stop_ && (asks_ || Clock::now() < due_))
        changed_.WaitUntil(&mutex_, std::max(due_, Clock::now() + kAfterSilence));
      if (stop_) return;
      asks_ = true;
      due_ = Clock::now() + kBetweenReads;
    }
    Read();
  }
}

void EtcdPolicy::Read() {
  etcdserverpb::TxnRequest request;
  const std::optional<Held> known = held();
  const int64_t revision = known.has_value() ? known->revision : 0;
  cluster::AddMapReading(key_, revision, &request, /*success=*/true);
  etcd_->Call<etcdserverpb::TxnRequest>(
      request, kTimeout, [this, revision](auto answer) { OnRead(answer, revision); });
}

void EtcdPolicy::OnRead(const cluster::EtcdAnswer<etcdserverpb::TxnResponse>& answer,
                        int64_t known) {
  std::optional<cluster::MapReading> reading;
  if (answer.outcome == cluster::EtcdOutcome::kAnswered)
    reading = cluster::MapReadingAt(answer.response, 0, key_);
  MutexLock lock(&mutex_);
  asks_ = false;
  changed_.NotifyAll();
  if (!reading.has_value()) {
    due_ = Clock::now() + kAfterSilence;
    return;
  }
  const bool has_older = reading->epoch != 0 && reading->epoch < known;
  if (answer.response.header().revision() < known || has_older) {
    spdlog::error(
        "etcd is older than the policy of its revision {}, as after it was restored: what it has "
        "now is in force",
        known);
    // Then it counts as never read.
    if (held_->revision == known) held_->revision = 0;
    due_ = Clock::now();
    return;
  }
  if (reading->epoch == 0) {
    const bool is_older =
        held_.has_value() && held_->revision > answer.response.header().revision();
    if (is_older) return;
    // A file that is gone is refused as any that is no policy, and what was in force stays.
    return Take({TextOf(options_.file).value_or(""), 0});
  }
  // What was put through this node meanwhile may be newer than what was asked for.
  if (reading->value != nullptr && (!held_.has_value() || reading->epoch > held_->revision))
    Take({*reading->value, reading->epoch});
}

void EtcdPolicy::Take(Held held) {
  if (held_.has_value() && held_->revision == held.revision && held_->text == held.text) return;
  spdlog::info("the policy is {}",
               held.revision == 0 ? absl::StrCat("that of ", options_.file, ", as etcd has none")
                                  : absl::StrCat("revision ", held.revision, " of etcd"));
  if (!mirror_.Replace(held.text)) {
    spdlog::error("the policy stays what it was: there is no descriptor or no memory for it");
    due_ = Clock::now() + kAfterSilence;
    return;
  }
  held_ = std::move(held);
}

std::optional<EtcdPolicy::Held> EtcdPolicy::held() const {
  MutexLock lock(&mutex_);
  return held_;
}

absl::Status EtcdPolicy::Check(const std::string& text) const {
  if (text.size() > kMaxPolicyInEtcdBytes) {
    return InvalidArgument(
        v1::POLICY_INVALID,
        absl::StrCat("the policy has ", text.size(), " bytes; in etcd it may have ",
                     kMaxPolicyInEtcdBytes, "; nothing was changed"),
        {{"limit", absl::StrCat(kMaxPolicyInEtcdBytes)}});
  }
  const absl::Status status = Judge(text);
  return status.ok() ? status : Invalid(std::string(status.message()));
}

absl::Status EtcdPolicy::Judge(const std::string& text) const {
  const absl::StatusOr<policy::PolicyRules> rules = policy::ReadPolicy(text, "policy");
  if (!rules.ok()) return rules.status();
  if (!rules->namespaces.empty())
    return absl::InvalidArgumentError("namespaces: nodes of a cluster have none yet");
  if (!HasAdministrator(*rules)) {
    return absl::InvalidArgumentError(
        "no binding gives the verb admin in the namespace default, so nobody could put the next "
        "policy");
  }
  for (const policy::Issuer& issuer : rules->issuers) {
    const std::string path = (std::filesystem::path(folder()) / issuer.jwks_file).string();
    const absl::StatusOr<std::string> keys = TextOf(path);
    if (!keys.ok())
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", std::string(keys.status().message())));
    const auto read = ReadSigningKeys(*keys, path);
    if (!read.ok()) return read.status();
  }
  return absl::OkStatus();
}

void EtcdPolicy::Put(const std::string& text, std::optional<int64_t> revision, Done done) {
  const std::optional<Held> known = held();
  if (!known.has_value()) return done(Silent("no answer yet", false));
  etcdserverpb::TxnRequest request;
  *request.add_compare() = cluster::ModifiedAt(key_, revision.value_or(known->revision));
  *request.add_success() = cluster::Put(key_, text);
  MutexLock lock(&call_mutex_);
  if (ends_ || !etcd_.has_value()) return done(Silent("this process ends", false));
  etcd_->Call<etcdserverpb::TxnRequest>(
      request, kTimeout, [this, text, done = std::move(done)](auto answer) {
        if (answer.outcome != cluster::EtcdOutcome::kAnswered) {
          return done(Silent(answer.error, answer.outcome == cluster::EtcdOutcome::kUnknown));
        }
        if (!answer.response.succeeded()) {
          return done(MakeError(absl::StatusCode::kAborted, v1::POLICY_CHANGED,
                                "another policy has been put meanwhile; look at it first (ferrite "
                                "policy get)"));
        }
        const int64_t put = answer.response.header().revision();
        {
          MutexLock lock(&mutex_);
          if (!held_.has_value() || put > held_->revision) Take({text, put});
        }
        done(put);
      });
}

}  // namespace ferrite
