#include "client/near_cache.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "client/await.h"
#include "client/cancellation.h"
#include "client/near_cache/near_entries.h"
#include "client/near_cache/near_feed.h"

namespace ferrite {
namespace {

// One place of the subscription is for the probes.
constexpr size_t kMaxPrefixes = 1023;
constexpr size_t kMaxPrefixBytes = 4096;
constexpr absl::Duration kMinStaleness = absl::Milliseconds(10);
constexpr absl::Duration kMaxStaleness = absl::Hours(1);

absl::Status CheckOptions(const NearCacheOptions& options) {
  if (options.key_prefixes.empty() || options.key_prefixes.size() > kMaxPrefixes) {
    return absl::InvalidArgumentError(
        absl::StrCat("key_prefixes must be 1 to ", kMaxPrefixes, ", \"\" for every key"));
  }
  for (const std::string& prefix : options.key_prefixes) {
    if (prefix.size() > kMaxPrefixBytes) {
      return absl::InvalidArgumentError("a key prefix has at most 4 KiB, as keys do");
    }
  }
  if (options.max_bytes == 0) return absl::InvalidArgumentError("max_bytes must be above 0");
  if (options.max_staleness < kMinStaleness || options.max_staleness > kMaxStaleness) {
    return absl::InvalidArgumentError("max_staleness must be 10 ms to 1 h");
  }
  return absl::OkStatus();
}

}  // namespace

// Shared with the calls under way, which may outlive the cache by a moment.
class NearCache::Core : public std::enable_shared_from_this<NearCache::Core> {
 public:
  Core(Client* client, const NearCacheOptions& options)
      : client_(client),
        key_prefixes_(options.key_prefixes),
        entries_(options.max_bytes, options.max_staleness),
        feed_(std::make_unique<NearFeed>(client, options.key_prefixes, options.max_staleness,
                                         &entries_)) {}

  // As ~NearCache.
  void Close() {
    stop_->Cancel();
    for (int left = calls_; left != 0; left = calls_) calls_.wait(left);
    feed_.reset();
  }

  NearEntries& entries() { return entries_; }

  // Wraps the `done` of a write so that later reads ask the server, even if the write's outcome is
  // unknown.
  template <class Response>
  Callback<Response> Forgetting(std::string key, Callback<Response> done) {
    return [core = shared_from_this(), key = std::move(key),
            done = std::move(done)](absl::StatusOr<Response> outcome) mutable {
      core->entries_.Invalidate(key);
      done(std::move(outcome));
    };
  }

  Client* client() const { return client_; }

  // Asks the server, or lets `done` wait for a call that already asks it. The read began at
  // `now_ns`.
  void Miss(std::string_view key, int64_t now_ns, Callback<NearEntry> done) {
    if (!Covers(key)) {
      return Ask(key, [key = std::string(key), done = std::move(done)](const auto& reply) mutable {
        reply.ok() ? done(EntryOf(key, *reply, /*sent_ns=*/0)) : done(reply.status());
      });
    }
    std::shared_ptr<Fill> fill = entries_.JoinOrBegin(key, now_ns, std::move(done));
    if (fill == nullptr) return;
    Ask(key, [this, fill](const auto& reply) { entries_.End(*fill, reply); });
  }

 private:
  bool Covers(std::string_view key) const {
    return std::any_of(key_prefixes_.begin(), key_prefixes_.end(),
                       [&](const std::string& prefix) { return key.starts_with(prefix); });
  }

  void Ask(std::string_view key, Callback<v1::GetResponse> done) {
    calls_.fetch_add(1);
    v1::GetRequest request;
    request.set_key(key.data(), key.size());
    client_->GetAsync(std::move(request), {.cancellation = stop_},
                      [core = shared_from_this(), done = std::move(done)](auto reply) mutable {
                        done(std::move(reply));
                        if (core->calls_.fetch_sub(1) == 1) core->calls_.notify_all();
                      });
  }

  Client* const client_;
  const std::vector<std::string> key_prefixes_;
  const std::shared_ptr<Cancellation> stop_ = std::make_shared<Cancellation>();
  std::atomic<int> calls_{0};
  NearEntries entries_;
  std::unique_ptr<NearFeed> feed_;
};

absl::StatusOr<std::unique_ptr<NearCache>> NearCache::Create(Client* client,
                                                             const NearCacheOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  return std::unique_ptr<NearCache>(new NearCache(client, options));
}

NearCache::NearCache(Client* client, const NearCacheOptions& options)
    : core_(std::make_shared<Core>(client, options)) {}
NearCache::~NearCache() { core_->Close(); }

absl::StatusOr<NearEntry> NearCache::Get(std::string_view key) {
  // Not the kernel's coarse clock, which would save a third of a hit's time: on a virtual machine
  // that lost a processor for a while it lags by as much, and the promised age would not hold.
  const int64_t now_ns = SteadyNs();
  NearEntry entry = core_->entries().Find(key, now_ns);
  if (entry.found()) return entry;
  return Await<NearEntry>([&](auto done) { core_->Miss(key, now_ns, std::move(done)); });
}

void NearCache::GetAsync(std::string_view key, Callback<NearEntry> done) {
  const int64_t now_ns = SteadyNs();
  NearEntry entry = core_->entries().Find(key, now_ns);
  if (entry.found()) return done(std::move(entry));
  core_->Miss(key, now_ns, std::move(done));
}

void NearCache::Invalidate(std::string_view key) { core_->entries().Invalidate(key); }

void NearCache::SetAsync(v1::SetRequest request, const CallOptions& options,
                         Callback<v1::SetResponse> done) {
  auto and_forget = core_->Forgetting(request.key(), std::move(done));
  core_->client()->SetAsync(std::move(request), options, std::move(and_forget));
}

void NearCache::DeleteAsync(v1::DeleteRequest request, const CallOptions& options,
                            Callback<v1::DeleteResponse> done) {
  auto and_forget = core_->Forgetting(request.key(), std::move(done));
  core_->client()->DeleteAsync(std::move(request), options, std::move(and_forget));
}

absl::StatusOr<v1::SetResponse> NearCache::Set(v1::SetRequest request, const CallOptions& options) {
  return Await<v1::SetResponse>(
      [&](auto done) { SetAsync(std::move(request), options, std::move(done)); });
}

absl::StatusOr<v1::DeleteResponse> NearCache::Delete(v1::DeleteRequest request,
                                                     const CallOptions& options) {
  return Await<v1::DeleteResponse>(
      [&](auto done) { DeleteAsync(std::move(request), options, std::move(done)); });
}

NearCacheStats NearCache::stats() const { return core_->entries().stats(); }

}  // namespace ferrite
