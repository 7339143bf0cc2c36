#include "server/net/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

namespace ferrite {

absl::Status Listener::Start(const Limit& limit, DoorPolicy policy, Handoff handoff) {
  {
    MutexLock lock(&mutex_);
    limit_ = limit;
  }
  handoff_ = std::move(handoff);
  doorman_.emplace(std::move(policy), [this] { refused_.fetch_add(1, std::memory_order_relaxed); });
  if (absl::Status status = doorman_->Open(); !status.ok()) return status;
  return loop_.Start(
      sockets_.descriptors(),
      {.on_connection = [this](int listener, int descriptor) { Take(listener, descriptor); },
       .watched = doorman_->descriptor(),
       .on_round = [this] { return doorman_->Run(); }});
}

void Listener::Stop() {
  loop_.Stop();
  doorman_.reset();
  sockets_.Close();
}

void Listener::Take(int listener, int descriptor) {
  bool has_room;
  {
    MutexLock lock(&mutex_);
    has_room = HasRoom();
    if (has_room) {
      struct stat status;
      open_[descriptor] = fstat(descriptor, &status) == 0 ? status.st_ino : 0;
    }
  }
  if (has_room) {
    handoff_(listener, descriptor);
  } else {
    doorman_->Receive(descriptor);
  }
}

bool Listener::HasRoom() {
  // Of the loop's time, the part that may be spent on looking.
  constexpr int kLookPart = 10;
  if (open_.size() < limit_.connections) return true;
  const auto begin = Clock::now();
  if (begin < next_look_) return false;
  const bool has_room = Prune() < limit_.connections;
  const auto end = Clock::now();
  next_look_ = end + (end - begin) * kLookPart;
  return has_room;
}

bool Listener::EndConnections() {
  MutexLock lock(&mutex_);
  if (Prune() == 0) return false;
  for (const auto& [descriptor, inode] : open_) shutdown(descriptor, SHUT_RD);
  return true;
}

size_t Listener::Prune() const {
  std::erase_if(open_, [](const auto& entry) {
    struct stat status;
    return fstat(entry.first, &status) != 0 || status.st_ino != entry.second;
  });
  return open_.size();
}

ConnectionCounts Listener::counts() const {
  ConnectionCounts counts;
  bool by_descriptors;
  {
    MutexLock lock(&mutex_);
    counts.open = Prune();
    by_descriptors = limit_.by_descriptors;
  }
  counts.over_descriptors = loop_.no_descriptor();
  (by_descriptors ? counts.over_descriptors : counts.over_limit) +=
      refused_.load(std::memory_order_relaxed);
  counts.accept_errors = loop_.failed();
  return counts;
}

}  // namespace ferrite
