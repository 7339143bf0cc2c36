#include "server/guard/paused_reads.h"

#include <utility>

namespace ferrite {
namespace {

// Long enough for what all connections begin in a turn, which takes some milliseconds.
constexpr std::chrono::milliseconds kLongestTurn(20);
// Between looks whether calls were taken up.
constexpr std::chrono::milliseconds kLook(1);

}  // namespace

void PausedReads::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void PausedReads::Start(std::function<uint64_t()> taken_up) {
  taken_up_ = std::move(taken_up);
  thread_ = std::thread([this] { Run(); });
}

void PausedReads::EndTurn() {
  // In this order, and the other way round in Pause(): whoever pauses meanwhile is seen here, or
  // sees that the turn is over.
  if (streams_.load(std::memory_order_relaxed) != 0) streams_.store(0, std::memory_order_relaxed);
  turn_.fetch_add(1);
  if (any_.load()) WakeAll();
}

void PausedReads::Pause(int descriptor, uint64_t turn) {
  {
    MutexLock lock(&mutex_);
    if (stopping_) return;
    paused_.push_back(descriptor);
    any_.store(true);
    if (paused_.size() == 1) changed_.NotifyAll();
  }
  if (turn_.load() != turn) WakeAll();
}

void PausedReads::WakeAll() {
  std::vector<int> paused;
  {
    MutexLock lock(&mutex_);
    paused.swap(paused_);
    any_.store(false);
    changed_.NotifyAll();
  }
  for (const int descriptor : paused) wake_(descriptor);
}

void PausedReads::Run() {
  for (;;) {
    bool is_over = false;
    {
      MutexLock lock(&mutex_);
      while (paused_.empty() && !stopping_) changed_.Wait(&mutex_);
      const uint64_t turn = turn_.load();
      const uint64_t taken_up = taken_up_();
      const auto end = std::chrono::steady_clock::now() + kLongestTurn;
      while (!stopping_ && !is_over && turn_.load() == turn) {
        const auto now = std::chrono::steady_clock::now();
        changed_.WaitUntil(&mutex_, now + kLook);
        is_over = now >= end || static_cast<int64_t>(taken_up_() - taken_up) >= streams();
      }
      if (stopping_) return;
      is_over = is_over && turn_.load() == turn;
    }
    if (is_over) EndTurn();
  }
}

}  // namespace ferrite
