#include "server/guard/frame_guard.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/clock.h"
#include "server/guard/peer_text.h"

namespace ferrite {
namespace {

constexpr int64_t kLogPauseNs = 1'000'000'000;
constexpr int64_t kSomeStreams = 4;

}  // namespace

FrameGuard::FrameGuard(const FrameLimits& limits) : budget_(limits) {}

FrameGuard::~FrameGuard() {
  for (const std::atomic<Chunk*>& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

bool FrameGuard::Watch(int descriptor, bool over_tls) {
  const auto index = static_cast<size_t>(descriptor);
  if (descriptor < 0 || index / kChunkSlots >= kChunks) return false;
  auto connection = std::make_unique<GuardedConnection>(over_tls);
  MutexLock lock(&mutex_);
  std::atomic<Chunk*>& chunk = chunks_[index / kChunkSlots];
  if (chunk.load(std::memory_order_relaxed) == nullptr)
    chunk.store(new Chunk{}, std::memory_order_release);
  std::atomic<GuardedConnection*>& slot =
      (*chunk.load(std::memory_order_relaxed))[index % kChunkSlots];
  slot.store(connection.get(), std::memory_order_release);
  open_[descriptor] = std::move(connection);
  connections_.store(open_.size(), std::memory_order_relaxed);
  return true;
}

void FrameGuard::Forget(int descriptor) {
  if (descriptor < 0 || Find(descriptor) == nullptr) return;
  const auto index = static_cast<size_t>(descriptor);
  MutexLock lock(&mutex_);
  const auto found = open_.find(descriptor);
  if (found == open_.end()) return;
  (*chunks_[index / kChunkSlots].load(std::memory_order_relaxed))[index % kChunkSlots].store(
      nullptr, std::memory_order_release);
  unfinished_.fetch_sub(found->second->held.exchange(0), std::memory_order_relaxed);
  found->second->answers.EndBlock(&untaken_);
  open_.erase(found);
  forgotten_.NotifyAll();
  connections_.store(open_.size(), std::memory_order_relaxed);
}

bool FrameGuard::Admit(int descriptor, const iovec* pieces, size_t size) {
  GuardedConnection* const connection = Find(descriptor);
  if (connection == nullptr) return true;
  if (connection->cut.load(std::memory_order_relaxed)) return false;
  if (!connection->over_tls()) return Judge(descriptor, connection, pieces, size);
  connection->AddUndecrypted(size);
  return true;
}

void FrameGuard::Decrypt(int descriptor) {
  if (GuardedConnection* const connection = Find(descriptor); connection != nullptr)
    connection->Decrypt();
}

bool FrameGuard::AdmitDecrypted(int descriptor, const char* bytes, size_t size) {
  GuardedConnection* const connection = Find(descriptor);
  if (connection == nullptr) return true;
  if (connection->cut.load(std::memory_order_relaxed)) return false;
  const iovec piece{const_cast<char*>(bytes), size};
  return Judge(descriptor, connection, &piece, size);
}

bool FrameGuard::Judge(int descriptor, GuardedConnection* connection, const iovec* pieces,
                       size_t size) {
  const int64_t before = connection->unfinished_bytes();
  const bool is_odd = connection->Walk(pieces, size, budget_.limits());
  if (connection->begun() > 0) connection->answers.BeginStreams(connection->begun(), &untaken_);
  // Few at a time are not worth a write to what all threads share.
  if (connection->begun() >= kSomeStreams) paused_.AddStreams(connection->begun());
  if (is_odd) {
    const std::optional<CutReason> reason =
        connection->Charge(SteadyNs(), connections_.load(std::memory_order_relaxed), &budget_);
    if (reason.has_value()) {
      Cut(descriptor, connection, *reason);
      return false;
    }
  }
  const int64_t more = connection->unfinished_bytes() - before;
  if (more == 0) return true;
  connection->held.fetch_add(more);
  if (unfinished_.fetch_add(more, std::memory_order_relaxed) + more <= unfinished_limit())
    return true;
  Reclaim();
  return !connection->cut.load(std::memory_order_relaxed);
}

void FrameGuard::Polled(int descriptor, int set, const epoll_event& event) {
  if (Find(descriptor) == nullptr) return;
  MutexLock lock(&mutex_);
  if (const auto found = open_.find(descriptor); found != open_.end())
    found->second->poll.Set(set, event);
}

size_t FrameGuard::Allowance(int descriptor) {
  GuardedConnection* const connection = Find(descriptor);
  if (connection == nullptr) return std::numeric_limits<size_t>::max();
  if (connection->awaits_decryption() && connection->poll.Wake(descriptor)) return 0;
  if (connection->AwaitsItsClient(descriptor, budget_.limits())) return 0;
  const uint64_t turn = paused_.turn();
  const FrameLimits& limits = budget_.limits();
  const bool many =
      paused_.streams() + untaken_.load(std::memory_order_relaxed) >= limits.streams_in_turns;
  const size_t allowance = connection->turn.Allowance(
      turn, many ? limits.least_streams_in_turn : limits.most_streams_in_turn,
      connection->left_of_data(), limits);
  if (allowance > 0) return allowance;
  // Better to read too much than never again.
  if (!connection->poll.known()) return budget_.limits().read_bytes;
  paused_.Pause(descriptor, turn);
  return 0;
}

void FrameGuard::Wake(int descriptor) {
  MutexLock lock(&mutex_);
  if (const auto found = open_.find(descriptor); found != open_.end())
    found->second->poll.Wake(descriptor);
}

void FrameGuard::Wrote(int descriptor, bool all) {
  if (GuardedConnection* const connection = Find(descriptor); connection != nullptr)
    connection->Wrote(descriptor, all, &untaken_);
}

void FrameGuard::Blocked(int descriptor) {
  if (GuardedConnection* const connection = Find(descriptor); connection != nullptr)
    connection->answers.Block(&untaken_);
}

bool FrameGuard::AwaitForgotten(int descriptor, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  MutexLock lock(&mutex_);
  while (open_.contains(descriptor)) {
    if (!forgotten_.WaitUntil(&mutex_, end)) return !open_.contains(descriptor);
  }
  return true;
}

void FrameGuard::Reclaim() {
  MutexLock lock(&mutex_);
  while (unfinished_bytes() > unfinished_limit()) {
    const auto largest = std::max_element(
        open_.begin(), open_.end(),
        [](const auto& a, const auto& b) { return a.second->held.load() < b.second->held.load(); });
    if (largest == open_.end() || largest->second->held.load() <= 0) return;
    Cut(largest->first, largest->second.get(), CutReason::kUnfinishedBytes);
    // Wakes whoever waits for more.
    shutdown(largest->first, SHUT_RDWR);
  }
}

void FrameGuard::Cut(int descriptor, GuardedConnection* connection, CutReason reason) {
  if (connection->cut.exchange(true)) return;
  unfinished_.fetch_sub(connection->held.exchange(0), std::memory_order_relaxed);
  const auto index = static_cast<size_t>(reason);
  cut_[index].fetch_add(1, std::memory_order_relaxed);
  unlogged_.fetch_add(1, std::memory_order_relaxed);
  const int64_t now = SteadyNs();
  int64_t next = next_log_ns_.load(std::memory_order_relaxed);
  if (now < next || !next_log_ns_.compare_exchange_strong(next, now + kLogPauseNs)) return;
  spdlog::warn("the connection of {} was cut for {} (connections cut: {})", PeerText(descriptor),
               kCutReasonNames[index], unlogged_.exchange(0));
}

bool FrameGuard::CanWake(int descriptor) const {
  const GuardedConnection* connection = Find(descriptor);
  return connection != nullptr && connection->poll.known();
}

FrameCounts FrameGuard::FramesOf(int descriptor) const {
  const GuardedConnection* connection = Find(descriptor);
  return connection == nullptr ? FrameCounts{} : connection->totals();
}

}  // namespace ferrite
