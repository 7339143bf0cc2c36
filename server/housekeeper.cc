#include "server/housekeeper.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

namespace ferrite {
namespace {

// Between two rounds. Expired entries are absent at once; this only bounds how long their memory
// stays in use.
constexpr std::chrono::milliseconds kRest(100);
// The same while memory is above its limit, such as one that was lowered.
constexpr std::chrono::milliseconds kShortRest(1);

// A tenth of the share of a core that a serving thread gets.
constexpr int kNice = 10;

}  // namespace

Housekeeper::Housekeeper(Store* store, ReplayWindow* replays, EventHub* events,
                         Namespaces* namespaces)
    : store_(*store),
      replays_(*replays),
      events_(*events),
      namespaces_(*namespaces),
      thread_([this] { Run(); }) {}

Housekeeper::~Housekeeper() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Housekeeper::Run() {
  // Where there is one core for all threads, calls go first.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  while (!Rest()) {
    while (!store_.Sweep()) {
    }
    replays_.Purge();
    events_.Sweep();
    namespaces_.Sweep();
    heap_.Run(namespaces_.StoreBytes());
  }
}

bool Housekeeper::Rest() {
  std::unique_lock lock(mutex_);
  const bool is_urgent = store_.HasExcess() || namespaces_.HasExcess();
  const auto rest = is_urgent ? kShortRest : kRest;
  return wake_.wait_for(lock, rest, [this] { return stop_; });
}

}  // namespace ferrite
