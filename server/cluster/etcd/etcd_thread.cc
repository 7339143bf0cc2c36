#include "server/cluster/etcd/etcd_thread.h"

#include <sys/prctl.h>

#include <chrono>

namespace ferrite::cluster {
namespace {

// How often it looks while somebody waits, and otherwise.
constexpr std::chrono::milliseconds kSoon{2};
constexpr std::chrono::milliseconds kLater{25};

}  // namespace

void EtcdThread::Run() {
  prctl(PR_SET_NAME, "etcd");
  while (Look()) {
    const auto now = std::chrono::steady_clock::now();
    MutexLock lock(&mutex_);
    if (shut_down_) continue;
    const bool was_urgent = urgent_ > 0;
    const auto end = now + (was_urgent ? kSoon : kLater);
    while (changed_.WaitUntil(&mutex_, end) && !shut_down_ && (urgent_ > 0) == was_urgent) {
    }
  }
}

bool EtcdThread::Look() {
  // Twice in vain: an event of this queue may have been announced when nobody polled it, and the
  // first look only finds that out.
  for (int in_vain = 0; in_vain < 2;) {
    void* tag;
    bool ok;
    switch (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<EtcdTag*>(tag)->Proceed(ok);
        in_vain = 0;
        break;
      case grpc::CompletionQueue::TIMEOUT:
        ++in_vain;
        break;
      case grpc::CompletionQueue::SHUTDOWN:
        return false;
    }
  }
  return true;
}

bool EtcdThread::Add(EtcdTag* tag) {
  MutexLock lock(&mutex_);
  if (closing_) return false;
  tags_.insert(tag);
  urgent_ += tag->IsUrgent();
  changed_.NotifyAll();
  return true;
}

void EtcdThread::Remove(EtcdTag* tag) {
  MutexLock lock(&mutex_);
  tags_.erase(tag);
  urgent_ -= tag->IsUrgent();
  changed_.NotifyAll();
}

bool EtcdThread::closing() const {
  MutexLock lock(&mutex_);
  return closing_;
}

void EtcdThread::Close() {
  {
    MutexLock lock(&mutex_);
    if (closing_) return;
    closing_ = true;
    for (EtcdTag* tag : tags_) tag->Cancel();
    while (!tags_.empty()) changed_.Wait(&mutex_);
    queue_.Shutdown();
    shut_down_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

}  // namespace ferrite::cluster
