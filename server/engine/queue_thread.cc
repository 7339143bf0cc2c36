#include "server/engine/queue_thread.h"

#include <grpcpp/alarm.h>

#include <utility>

#include "base/check.h"

namespace ferrite {
namespace {

// What is done between steps waits for no more steps than this.
constexpr int kMostSteps = 64;

// Comes back from the queue at once, on its thread, and goes.
class Task final : public Tag {
 public:
  explicit Task(std::function<void()> body) : body_(std::move(body)) {}
  void Post(grpc::CompletionQueue* queue) {
    alarm_.Set(queue, gpr_now(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(this));
  }
  void Proceed(bool) override {
    body_();
    delete this;
  }

 private:
  const std::function<void()> body_;
  grpc::Alarm alarm_;
};

}  // namespace

thread_local const QueueThread* QueueThread::current_ = nullptr;

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

void QueueThread::Do(std::function<void()> body) {
  auto* const task = new Task(std::move(body));
  handed_over_.fetch_add(1, std::memory_order_release);
  task->Post(queue_.get());
}

void QueueThread::Stop() {
  // From its own thread, so that nothing starts an operation while it closes.
  Do([this] {
    closed_ = true;
    queue_->Shutdown();
  });
  thread_.join();
}

void QueueThread::Run() {
  current_ = this;
  void* tag;
  bool ok;
  while (Take(&tag, &ok)) {
    handed_over_.load(std::memory_order_acquire);
    static_cast<Tag*>(tag)->Proceed(ok);
    if (++steps_ == kMostSteps) Between();
  }
}

void QueueThread::Between() {
  steps_ = 0;
  if (between_steps_) between_steps_();
}

bool QueueThread::Take(void** tag, bool* ok) {
  // Twice: an operation that this thread completed at once has kicked the queue's poller, and the
  // first look then returns without polling.
  for (int look = 0; look < 2; ++look) {
    const auto outcome = queue_->AsyncNext(tag, ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
    if (outcome != grpc::CompletionQueue::TIMEOUT)
      return outcome == grpc::CompletionQueue::GOT_EVENT;
  }
  Between();
  const bool taken = queue_->Next(tag, ok);
  gate_.Rested();
  return taken;
}

}  // namespace ferrite
