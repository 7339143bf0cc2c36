#pragma once

// The policy of a cluster that lies in etcd, the same for all nodes. What etcd has wins; while it
// has none, the file of --policy is in force, so that somebody has the right to put the first.
// Until etcd has answered, nobody has any right.
//
// The node shows it to PolicyFile as a file, which judges and publishes it as any other.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/cluster/etcd/etcd_client.h"
#include "server/cluster/keys.h"
#include "server/dial/dial_credentials.h"
#include "server/tls/private_file.h"

namespace ferrite {

// An etcd takes requests of 1.5 MiB.
inline constexpr size_t kMaxPolicyInEtcdBytes = size_t{1} << 20;

// Thread-safe, but for Start() and Stop().
class EtcdPolicy {
 public:
  struct Options {
    std::string cluster;
    std::vector<std::string> endpoints;
    DialCredentials credentials;
    std::string file;  // which is in force while etcd has none
  };
  struct Held {
    std::string text;
    int64_t revision = 0;  // of etcd; 0: etcd has none, and this is that of the file
  };

  explicit EtcdPolicy(Options options);
  ~EtcdPolicy() { Stop(); }
  EtcdPolicy(const EtcdPolicy&) = delete;
  EtcdPolicy& operator=(const EtcdPolicy&) = delete;

  // The file that shows what is held.
  const std::string& path() const { return mirror_.path(); }
  // The folder in which files lie that a policy names.
  std::string folder() const;

  // Whether the file may be in force; INVALID_ARGUMENT otherwise.
  absl::Status CheckFile() const;
  // Watches etcd from now on.
  void Start();
  void Stop();

  // Absent until etcd has answered.
  std::optional<Held> held() const;

  // INVALID_ARGUMENT (POLICY_INVALID) with line and reason if that is no policy, or too large for
  // etcd, or names files with keys that this node cannot use, or has what no node could enforce, or
  // gives nobody the right to put the next one.
  // Reads the files of keys, on the calling thread.
  absl::Status Check(const std::string& text) const;
  // Puts it in the place of that of the revision, or without one of what this node knows; 0: of
  // none. Calls `done` once, with the new revision; or ABORTED (POLICY_CHANGED) if another has been
  // put meanwhile, UNAVAILABLE (ETCD_SILENT) if etcd did not answer. On another thread, or from
  // within.
  using Done = std::function<void(absl::StatusOr<int64_t> revision)>;
  void Put(const std::string& text, std::optional<int64_t> revision, Done done);

 private:
  using Clock = std::chrono::steady_clock;

  // The same of any text, without a reason for clients.
  absl::Status Judge(const std::string& text) const;
  void Run();
  void Read();
  // `known`: the revision that was held when it was asked for.
  void OnRead(const cluster::EtcdAnswer<etcdserverpb::TxnResponse>& answer, int64_t known);
  void Take(Held held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::string key_;
  mutable Mutex mutex_;
  Condition changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool asks_ ABSL_GUARDED_BY(mutex_) = false;  // a call is under way
  Clock::time_point due_ ABSL_GUARDED_BY(mutex_);
  std::optional<Held> held_ ABSL_GUARDED_BY(mutex_);
  PrivateFile mirror_;
  // While a call is made, so that none begins when the client ends.
  Mutex call_mutex_;
  bool ends_ ABSL_GUARDED_BY(call_mutex_) = false;
  std::optional<cluster::EtcdClient> etcd_;
  std::thread thread_;
};

}  // namespace ferrite
