#include "server/namespaces/namespace.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "server/call/status.h"
#include "server/engine/timers.h"
#include "server/handlers/cache_rpcs.h"
#include "server/handlers/frame_reply.h"
#include "server/metrics/refusals.h"

namespace ferrite {

// Measures what a step does, and charges it when the step is over.
class Metering {
 public:
  explicit Metering(Namespace* of)
      : of_(*of), keys_(ThreadCounters::Current().keys()), before_(NamespaceTally::OfThread()) {}
  ~Metering() {
    const KeyTally& keys = ThreadCounters::Current().keys();
    const uint64_t met = keys.read - keys_.read + keys.written - keys_.written;
    of_.rate_.Charge(std::max(met, least_), RateLimit::Clock::now());
    of_.tally_.AddSince(before_);
  }
  Metering(const Metering&) = delete;
  Metering& operator=(const Metering&) = delete;

  // Whatever it meets.
  void CountAtLeast(uint64_t operations) { least_ = operations; }

 private:
  Namespace& of_;
  const KeyTally keys_;
  const NamespaceTally::Outcomes before_;
  uint64_t least_ = 0;
};

// An answer that goes on, for as long as the namespace is there.
class NamespaceAnswer final : public Answer {
 public:
  NamespaceAnswer(std::unique_ptr<Answer> plain, std::shared_ptr<Namespace> of, bool paced,
                  Waker waker)
      : of_(std::move(of)),
        plain_(std::move(plain)),
        paced_(paced),
        waker_(waker),
        number_(of_->Watch(std::move(waker))) {}
  ~NamespaceAnswer() override { of_->Unwatch(number_); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (of_->is_dropped()) [[unlikely]] {
      end->status = of_->gone_;
      return Next::kEnd;
    }
    if (paced_) {
      const auto now = RateLimit::Clock::now();
      if (const auto wait = of_->rate_.Wait(now); wait > RateLimit::Clock::duration::zero()) {
        timer_.Set(ServingThread::Current()->timers(), now + wait);
        return Next::kWait;
      }
    }
    const Metering metering(of_.get());
    return plain_->Advance(message, end);
  }
  void Sent() override { plain_->Sent(); }
  bool WriteLastWord(ReplyWriter* message) override { return plain_->WriteLastWord(message); }

 private:
  const std::shared_ptr<Namespace> of_;  // outlives the answer, which refers to its parts
  const std::unique_ptr<Answer> plain_;
  const bool paced_;
  const Waker waker_;
  const uint64_t number_;
  Timer timer_{[this] { waker_.Wake(); }};
};

namespace {

// Each of the four parts of which a quarter of the memory is.
uint64_t PartOf(uint64_t memory_bytes) { return memory_bytes / 16; }

EventLimits EventsOf(EventLimits most, uint64_t memory_bytes) {
  // Measured, as in server/settings/memory_plan.h.
  constexpr uint64_t kSubscriptionBytes = uint64_t{24} << 10;
  const uint64_t part = PartOf(memory_bytes);
  most.history.bytes = std::min(most.history.bytes, part);
  most.subscriber_bytes = std::min(most.subscriber_bytes, part);
  most.subscribers = std::min<size_t>(most.subscribers, part / kSubscriptionBytes);
  return most;
}

absl::Status QuotaExceeded(const std::string& name, std::string_view of_what) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::QUOTA_EXCEEDED,
                   "namespace " + name + " has as many " + std::string(of_what) +
                       " as its policy allows; nothing was done",
                   {{"namespace", name}, {"of", std::string(of_what)}});
}

absl::Status Gone(const std::string& name) {
  return MakeError(absl::StatusCode::kUnavailable, v1::NAMESPACE_DROPPED,
                   "the policy no longer has the namespace " + name, {{"namespace", name}});
}

}  // namespace

Namespace::Namespace(const std::string* name, const policy::NamespaceRules& rules,
                     uint64_t memory_bytes, const NamespaceParts& parts)
    : name_(*name),
      memory_bytes_(memory_bytes),
      store_({.max_memory_bytes = EntryBytesOf(memory_bytes), .evict = rules.evict}),
      events_(&store_, EventsOf(parts.events, memory_bytes)),
      replays_(std::min<uint64_t>(parts.request_window_bytes, PartOf(memory_bytes)),
               &Clock::System(), parts.scope_of),
      cache_(&store_, &replays_, &events_, &Clock::System(), parts.max_value_bytes),
      wire_(&store_, &events_, &cache_),
      admin_(
          &store_, parts.counters, parts.slow_calls, name, [this] { return connections(); },
          [this](CacheOutcome outcome) { return tally_.count(outcome); }),
      too_many_operations_(QuotaExceeded(*name, "operations per second")),
      too_many_connections_(QuotaExceeded(*name, "connections")),
      gone_(Gone(*name)) {
  for (Rpc& rpc : CacheRpcs({.store = &store_,
                  .cache = &cache_,
                  .wire = &wire_,
                  .admin = &admin_,
                  .dispatchers = &dispatchers_})) {
    handlers_[static_cast<size_t>(rpc.method)] = std::move(rpc.handler);
  }
  Change(rules, memory_bytes);
}

void Namespace::Connect(const std::vector<ServingThread*>& threads) {
  for (ServingThread* thread : threads) {
    events_.AddDispatcher(
        dispatchers_.emplace_back(std::make_unique<Dispatcher>(thread, &events_)).get());
  }
}

void Namespace::Change(const policy::NamespaceRules& rules, uint64_t memory_bytes) {
  memory_bytes_.store(memory_bytes, std::memory_order_relaxed);
  store_.SetMaxMemoryBytes(EntryBytesOf(memory_bytes));
  store_.SetEviction(rules.evict);
  cache_.SetDefaultTtl(rules.default_ttl_ms);
  rate_.Set(rules.operations_per_second);
  connections_.Limit(rules.connections);
}

uint64_t Namespace::LeastMemoryBytes() const {
  return std::max(kLeastNamespaceBytes,
                  (store_.LeastMemoryBytes() + kKeptByStoreBytes) / 3 * 4 + 4);
}

void Namespace::Drop() {
  dropped_.store(true, std::memory_order_release);
  MutexLock lock(&mutex_);
  for (const auto& [number, waker] : answers_) waker.Wake();
}

uint64_t Namespace::Watch(Waker waker) {
  MutexLock lock(&mutex_);
  answers_.emplace(++last_answer_, std::move(waker));
  return last_answer_;
}

void Namespace::Unwatch(uint64_t number) {
  MutexLock lock(&mutex_);
  answers_.erase(number);
}

absl::Status Namespace::Admit(const Caller& caller) {
  const auto now = RateLimit::Clock::now();
  if (!connections_.Take(caller.connection(), now)) [[unlikely]]
    return too_many_connections_;
  return rate_.Wait(now) > RateLimit::Clock::duration::zero() ? too_many_operations_
                                                              : absl::OkStatus();
}

absl::Status Namespace::RefuseFrame(const absl::Status& why, Turn* turn) {
  std::vector<FrameOperation> operations;
  if (absl::Status status = wire_.ReadFrame(turn->request(), &operations); !status.ok())
    return status;
  // Made once: it is to cost less than what is refused.
  ReplyWriter once;
  FrameReply(&once).AddError(why);
  const std::string outcome = TakeBytes(&once);
  for (size_t i = 0; i < operations.size(); ++i)
    std::memcpy(turn->reply()->Append(outcome.size()), outcome.data(), outcome.size());
  for (size_t i = 1; i < operations.size(); ++i) CountRefusal(why);
  tally_.CountRefused(operations.size());
  return absl::OkStatus();
}

absl::Status Namespace::Serve(Method method, const std::shared_ptr<Namespace>& self, Turn* turn) {
  const bool is_limited = IsUsersWork(method);
  if (is_limited) {
    if (absl::Status why = Admit(turn->caller()); !why.ok()) [[unlikely]] {
      // A frame that would have to be joined first is not worth that.
      if (method == Method::kPipeline && turn->request().in_one_piece())
        return RefuseFrame(why, turn);
      tally_.CountRefused(1);
      return why;
    }
  }
  Metering metering(this);
  if (is_limited) metering.CountAtLeast(1);
  absl::Status status = handlers_[static_cast<size_t>(method)](turn);
  if (std::unique_ptr<Answer> answer = turn->TakeAnswer(); answer != nullptr) {
    turn->Later(std::make_unique<NamespaceAnswer>(std::move(answer), self, method == Method::kScan,
                                                  turn->waker()));
  }
  return status;
}

}  // namespace ferrite
