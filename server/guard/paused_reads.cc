#include "server/guard/paused_reads.h"

#include <utility>

namespace ferrite {
namespace {

// Long enough for what all connections begin in a turn, which takes some milliseconds.
constexpr std::chrono::milliseconds kLongestTurn(20);

}  // namespace

PausedReads::~PausedReads() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    thread = std::move(thread_);
    changed_.NotifyAll();
  }
  if (thread.joinable()) thread.join();
}

void PausedReads::EndTurn() {
  // In this order, and the other way round in Pause(): whoever pauses meanwhile is seen here, or
  // sees that the turn is over.
  turn_.fetch_add(1);
  if (any_.load()) WakeAll();
}

void PausedReads::Pause(int descriptor, uint64_t turn) {
  {
    MutexLock lock(&mutex_);
    if (stopping_) return;
    paused_.push_back(descriptor);
    any_.store(true);
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
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
  }
  for (const int descriptor : paused) wake_(descriptor);
}

void PausedReads::Run() {
  for (;;) {
    {
      MutexLock lock(&mutex_);
      while (paused_.empty() && !stopping_) changed_.Wait(&mutex_);
      const uint64_t turn = turn_.load();
      const auto end = std::chrono::steady_clock::now() + kLongestTurn;
      while (!stopping_ && turn_.load() == turn) {
        if (!changed_.WaitUntil(&mutex_, end)) break;
      }
      if (stopping_) return;
      if (turn_.load() != turn) continue;
    }
    EndTurn();
  }
}

}  // namespace ferrite
