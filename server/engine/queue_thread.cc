#include "server/engine/queue_thread.h"

#include <grpcpp/alarm.h>

#include <atomic>

#include "store/check.h"

namespace ferrite {
namespace {

// Comes back from the queue at once, on its thread, and goes.
class Task final : public Tag {
 public:
  Task(grpc::CompletionQueue* queue, std::function<void()> body) : body_(std::move(body)) {
    handed_over_.store(true, std::memory_order_release);
    alarm_.Set(queue, gpr_now(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(this));
  }
  void Proceed(bool) override {
    handed_over_.load(std::memory_order_acquire);
    body_();
    delete this;
  }

 private:
  const std::function<void()> body_;
  // What was done before the task was posted happens before it runs. The queue sees to this as
  // well, but in a library that the thread sanitizer cannot look into.
  std::atomic<bool> handed_over_{false};
  grpc::Alarm alarm_;
};

}  // namespace

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

void QueueThread::Do(std::function<void()> task) { new Task(queue_.get(), std::move(task)); }

void QueueThread::Stop() {
  // From its own thread, so that nothing starts an operation while it closes.
  Do([this] {
    closed_ = true;
    queue_->Shutdown();
  });
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

}  // namespace ferrite
