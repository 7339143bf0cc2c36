#include "server/engine/queue_thread.h"

#include "store/check.h"

namespace ferrite {

QueueThread::~QueueThread() {
  FERRITE_CHECK(!thread_.joinable());
  if (!closed_) queue_->Shutdown();  // never started
  void* tag;
  bool ok;
  while (queue_->Next(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(ok);
}

void QueueThread::Start(std::function<void()> on_start) {
  thread_ = std::thread([this, on_start = std::move(on_start)] {
    on_start();
    Run();
  });
}

void QueueThread::Stop() {
  stop_alarm_.Set(queue_.get(), gpr_now(GPR_CLOCK_MONOTONIC), &stop_tag_);
  thread_.join();
}

void QueueThread::Run() {
  void* tag;
  bool ok;
  while (Take(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(ok);
}

bool QueueThread::Take(void** tag, bool* ok) {
  const auto outcome = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  if (outcome != grpc::CompletionQueue::TIMEOUT) return outcome == grpc::CompletionQueue::GOT_EVENT;
  const bool taken = queue_->Next(tag, ok);
  gate_.Rested();
  return taken;
}

void QueueThread::StopTag::Proceed(bool) {
  owner_.closed_ = true;
  owner_.queue_->Shutdown();
}

}  // namespace ferrite
