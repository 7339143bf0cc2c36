#pragma once

// Where the policy comes from: a file, and the files with the keys of issuers that it names. All
// are read anew whenever one has changed, be it written in place, replaced, or reached through a
// link that now leads elsewhere, as Kubernetes changes what a volume shows.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/published_policy.h"

namespace ferrite {

// What became of the file so far.
struct PolicyFileCounts {
  uint64_t loaded = 0;
  uint64_t refused = 0;        // the policy before it stays
  bool in_force = false;       // what is in the file now
  uint64_t keys_left_out = 0;  // of the issuers' keys that were read last
};

// Thread-safe, but for the order of Load(), Watch() and Stop().
class PolicyFile {
 public:
  // Brings about what a policy says beside rights, or refuses it as a whole.
  using Apply = std::function<absl::Status(const policy::PolicyRules& rules)>;

  // `published` must outlive it. `changed` is called when another policy is in force, but for the
  // first one, on the thread that watches; `apply` for each that is read, right before. Files that
  // it names lie in `folder`; empty: in its own. `token_key_file`: the keys of the cluster for
  // disposable tokens, which are watched likewise; empty: there are none.
  PolicyFile(
      std::string path, PublishedPolicy* published, std::function<void()> changed,
      Apply apply = [](const policy::PolicyRules&) { return absl::OkStatus(); },
      std::string folder = "", std::string token_key_file = "");
  ~PolicyFile() { Stop(); }
  PolicyFile(const PolicyFile&) = delete;
  PolicyFile& operator=(const PolicyFile&) = delete;

  // Reads it for the first time. INVALID_ARGUMENT or NOT_FOUND with file, line and reason.
  absl::Status Load();
  // Looks at it several times a second from then on. A bad file is logged and changes nothing.
  void Watch();
  void Stop();

  PolicyFileCounts counts() const {
    return {.loaded = loaded_,
            .refused = refused_,
            .in_force = in_force_,
            .keys_left_out = keys_left_out_};
  }
  // Looks at it once, as the thread does.
  void LookOnce();

 private:
  // What tells one state of a file from another, and what was in it.
  struct State {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = -1;  // there is none
    int64_t written_ns = 0;
    int64_t changed_ns = 0;
    std::string text;
  };
  // Without the text.
  static State Look(const std::string& path);
  static bool SameStamp(const State& one, const State& other);
  // Whether no file has changed since it was read; `*settled`: nor can one have without a trace.
  bool AllSame(bool* settled) const;

  // Reads a file of so many bytes at most, and remembers it.
  absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most_bytes);
  absl::Status Read();
  // Of the rules that were read: the keys of their issuers.
  absl::Status ReadIssuers(const policy::PolicyRules& rules, std::vector<KnownIssuer>* issuers);
  // Adds the cluster itself as an issuer, if it is one.
  absl::Status ReadOwnKeys(std::vector<KnownIssuer>* issuers, std::optional<TokenSigner>* signer);
  // Has it take the place of the one in force, unless it says the same.
  void Publish(std::shared_ptr<const LoadedPolicy> policy);
  void Run();

  const std::string path_;
  const std::string folder_;
  const std::string token_key_file_;
  PublishedPolicy& published_;
  const std::function<void()> changed_;
  const Apply apply_;
  std::map<std::string, State> files_;  // by their paths
  bool settled_ = false;
  std::atomic<uint64_t> loaded_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<bool> in_force_{false};
  std::atomic<uint64_t> keys_left_out_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ferrite
