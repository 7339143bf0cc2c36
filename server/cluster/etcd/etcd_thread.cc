#include "server/cluster/etcd/etcd_thread.h"

#include <sys/prctl.h>

#include <cstdlib>

namespace ferrite::cluster {
namespace {

grpc_completion_queue* MakeQueue(EtcdThread::Polling polling) {
  // With any strategy but the usual one, a thread polls only for itself.
  const bool others_poll =
      polling == EtcdThread::Polling::kByOthers && std::getenv("GRPC_POLL_STRATEGY") == nullptr;
  const grpc_completion_queue_attributes attributes = {
      GRPC_CQ_CURRENT_VERSION, GRPC_CQ_NEXT,
      others_poll ? GRPC_CQ_NON_POLLING : GRPC_CQ_DEFAULT_POLLING, nullptr};
  return grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&attributes),
                                      &attributes, nullptr);
}

}  // namespace

EtcdThread::EtcdThread(Polling polling) : queue_(MakeQueue(polling)), thread_([this] { Run(); }) {}

void EtcdThread::Run() {
  prctl(PR_SET_NAME, "etcd");
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) static_cast<EtcdTag*>(tag)->Proceed(ok);
}

bool EtcdThread::Add(EtcdTag* tag) {
  MutexLock lock(&mutex_);
  if (closing_) return false;
  tags_.insert(tag);
  return true;
}

void EtcdThread::Remove(EtcdTag* tag) {
  MutexLock lock(&mutex_);
  tags_.erase(tag);
  removed_.NotifyAll();
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
    while (!tags_.empty()) removed_.Wait(&mutex_);
  }
  queue_.Shutdown();
  thread_.join();
}

}  // namespace ferrite::cluster
