#include "server/namespaces/namespaces.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/byte_amount.h"
#include "server/call/namespace_name.h"
#include "server/call/status.h"
#include "server/namespaces/memory_shares.h"

namespace ferrite {
namespace {

// How long one round empties those that were dropped.
constexpr std::chrono::milliseconds kEmptying(5);

const absl::Status& Unknown() {
  static const absl::Status unknown =
      MakeError(absl::StatusCode::kNotFound, v1::NAMESPACE_UNKNOWN,
                "there is no such namespace: the server's policy defines them; nothing was done");
  return unknown;
}

}  // namespace

Namespaces::Namespaces(const NamespaceParts& parts, uint64_t max_memory_bytes)
    : parts_(parts), max_memory_bytes_(max_memory_bytes) {
  MutexLock lock(&mutex_);
  Publish(std::make_shared<const Picture>());
}

Namespaces::~Namespaces() = default;

void Namespaces::Connect(std::vector<ServingThread*> threads) {
  threads_ = std::move(threads);
  for (const auto& space : All()) space->Connect(threads_);
}

void Namespaces::Publish(std::shared_ptr<const Picture> picture) {
  static std::atomic<uint64_t> last_number{0};
  picture_ = std::move(picture);
  count_.store(picture_->by_name.size(), std::memory_order_relaxed);
  number_.store(last_number.fetch_add(1) + 1, std::memory_order_release);
}

const std::shared_ptr<const Namespaces::Picture>& Namespaces::Now() const {
  struct Known {
    uint64_t number = 0;
    std::shared_ptr<const Picture> picture;
  };
  thread_local Known known;
  // Asked first: a picture that comes in between is then taken again.
  if (const uint64_t now = number_.load(std::memory_order_acquire); known.number != now)
      [[unlikely]] {
    MutexLock lock(&mutex_);
    known.picture = picture_;
    known.number = now;
  }
  return known.picture;
}

absl::Status Namespaces::Serve(Method method, const std::string* name, Turn* turn) const {
  const Picture& picture = *Now();
  const auto found = picture.by_name.find(name);
  if (found == picture.by_name.end()) return Unknown();
  // The picture keeps it for as long as this turn takes.
  return found->second->Serve(method, found->second, turn);
}

std::shared_ptr<SubscriberBudget> Namespaces::SubscribersOf(const std::string* name) const {
  const Picture& picture = *Now();
  const auto found = picture.by_name.find(name);
  if (found == picture.by_name.end()) return nullptr;
  return {found->second, found->second->events()->budget()};
}

void Namespaces::CloseDispatchers(size_t thread) const {
  std::vector<std::shared_ptr<Namespace>> all = All();
  {
    MutexLock lock(&mutex_);
    for (const auto& grave : graves_) all.push_back(grave->space);
  }
  for (const auto& each : all) each->dispatcher(thread)->Close();
}

std::vector<uint64_t> Namespaces::LeastOfEach(
    const std::vector<policy::NamespaceRules>& rules) const {
  std::vector<uint64_t> least;
  for (const policy::NamespaceRules& each : rules) {
    const auto found = picture_->by_name.find(NamespaceName(each.name));
    least.push_back(found == picture_->by_name.end() ? kLeastNamespaceBytes
                                                     : found->second->LeastMemoryBytes());
  }
  return least;
}

absl::Status Namespaces::Apply(const std::vector<policy::NamespaceRules>& rules) {
  if (parts_.in_cluster && !rules.empty()) {
    return absl::InvalidArgumentError(
        "a node of a cluster has no namespaces beside default: take the section namespaces out of "
        "its policy");
  }
  MutexLock lock(&mutex_);
  if (rules == rules_) return absl::OkStatus();
  const absl::StatusOr<MemoryShares> shares = ShareOut(
      rules, max_memory_bytes_, parts_.default_store->LeastMemoryBytes(), LeastOfEach(rules));
  if (!shares.ok()) return shares.status();
  auto picture = std::make_shared<Picture>();
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string* const name = NamespaceName(rules[i].name);
    const uint64_t bytes = shares->bytes[i];
    std::shared_ptr<Namespace>& space = picture->by_name[name];
    if (const auto found = picture_->by_name.find(name); found != picture_->by_name.end()) {
      space = found->second;
      space->Change(rules[i], bytes);
      continue;
    }
    space = std::make_shared<Namespace>(name, rules[i], bytes, parts_);
    space->Connect(threads_);
    spdlog::info("there is the namespace {} now, with {} of memory", *name, RenderBytes(bytes));
  }
  const std::shared_ptr<const Picture> before = picture_;
  rules_ = rules;
  Publish(std::move(picture));
  for (const auto& [name, space] : before->by_name) {
    if (!picture_->by_name.contains(name)) Bury(space);
  }
  LimitDefault();
  return absl::OkStatus();
}

void Namespaces::Bury(std::shared_ptr<Namespace> space) {
  spdlog::info("the namespace {} is dropped", space->name());
  space->Drop();
  auto grave = std::make_shared<Grave>();
  grave->space = std::move(space);
  grave->threads_left = threads_.size();
  graves_.push_back(grave);
  for (ServingThread* thread : threads_) {
    // Only then it keeps no picture any more that shows it, and its timers are where they belong.
    thread->Post([this, thread, grave] {
      Now();
      grave->space->dispatcher(thread->index())->Close();
      grave->threads_left.fetch_sub(1, std::memory_order_acq_rel);
    });
  }
}

void Namespaces::LimitDefault() {
  if (max_memory_bytes_ == 0) return parts_.default_store->SetMaxMemoryBytes(0);
  uint64_t others = 0;
  for (const auto& [name, space] : picture_->by_name) others += space->memory_bytes();
  for (const auto& grave : graves_) others += grave->space->store()->memory_bytes();
  const uint64_t left = max_memory_bytes_ - std::min(max_memory_bytes_, others);
  const uint64_t limit = std::max(left, parts_.default_store->LeastMemoryBytes());
  if (limit != parts_.default_store->max_memory_bytes())
    parts_.default_store->SetMaxMemoryBytes(limit);
}

void Namespaces::SetMaxMemory(uint64_t bytes) {
  MutexLock lock(&mutex_);
  max_memory_bytes_ = bytes;
  for (const policy::NamespaceRules& rules : rules_) {
    if (rules.memory_percent == 0 || bytes == 0) continue;
    picture_->by_name.at(NamespaceName(rules.name))
        ->Change(rules, PercentOf(rules.memory_percent, bytes));
  }
  LimitDefault();
}

uint64_t Namespaces::LeastMaxMemory() {
  MutexLock lock(&mutex_);
  const uint64_t of_default = parts_.default_store->LeastMemoryBytes();
  if (rules_.empty()) return of_default;
  return ferrite::LeastMaxMemory(rules_, of_default, LeastOfEach(rules_));
}

std::vector<std::shared_ptr<Namespace>> Namespaces::All() const {
  std::vector<std::shared_ptr<Namespace>> all;
  {
    MutexLock lock(&mutex_);
    for (const auto& [name, space] : picture_->by_name) all.push_back(space);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& one, const auto& other) { return one->name() < other->name(); });
  return all;
}

void Namespaces::Sweep() {
  const std::vector<std::shared_ptr<Namespace>> all = All();
  for (const auto& space : all) {
    while (!space->store()->Sweep()) {
    }
    space->replays()->Purge();
    space->events()->Sweep();
  }
  ShareHeap(all);
  EmptyGraves();
}

void Namespaces::ShareHeap(const std::vector<std::shared_ptr<Namespace>>& all) {
  if (all.empty()) return parts_.default_store->SetHeapShare(1);
  std::vector<Store*> stores = {parts_.default_store};
  for (const auto& space : all) stores.push_back(space->store());
  std::vector<uint64_t> bytes;
  uint64_t sum = 0;
  for (Store* store : stores) {
    bytes.push_back(store->block_bytes());
    sum += bytes.back();
  }
  for (size_t i = 0; i < stores.size(); ++i) {
    stores[i]->SetHeapShare(sum == 0 ? 0
                                     : static_cast<double>(bytes[i]) / static_cast<double>(sum));
  }
}

void Namespaces::EmptyGraves() {
  std::vector<std::shared_ptr<Grave>> graves;
  {
    MutexLock lock(&mutex_);
    graves = graves_;
  }
  if (graves.empty()) return;
  const auto until = std::chrono::steady_clock::now() + kEmptying;
  for (std::shared_ptr<Grave>& grave : graves) {
    if (grave->threads_left.load(std::memory_order_acquire) != 0) continue;
    if (grave->walk == nullptr) {
      grave->walk = std::make_unique<FlushWalk>(grave->space->store());
      parts_.slow_calls->Forget(&grave->space->name());
    }
    while (!grave->is_empty && std::chrono::steady_clock::now() < until)
      grave->is_empty = !grave->walk->Step();
    if (!grave->is_empty || grave->space.use_count() > 1) continue;
    // Whoever let go of it last is done with it.
    std::atomic_thread_fence(std::memory_order_acquire);
    MutexLock lock(&mutex_);
    graves_.erase(std::find(graves_.begin(), graves_.end(), grave));
  }
  // Destroys what is empty, which takes no time.
  graves.clear();
  MutexLock lock(&mutex_);
  LimitDefault();
}

bool Namespaces::HasExcess() const {
  {
    MutexLock lock(&mutex_);
    for (const auto& grave : graves_) {
      if (!grave->is_empty) return true;
    }
  }
  if (count_.load(std::memory_order_relaxed) == 0) return false;
  const auto all = All();
  return std::any_of(all.begin(), all.end(),
                     [](const auto& space) { return space->store()->HasExcess(); });
}

size_t Namespaces::StoreBytes() const {
  size_t bytes = parts_.default_store->memory_bytes();
  for (const auto& space : All()) bytes += space->store()->memory_bytes();
  return bytes;
}

}  // namespace ferrite
