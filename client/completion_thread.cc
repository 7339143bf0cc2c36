#include "client/completion_thread.h"

#include "client/call.h"

namespace ferrite {
namespace {

thread_local bool on_completion_thread = false;

}  // namespace

CompletionThread::CompletionThread() : thread_([this] { Serve(); }) {}

CompletionThread::~CompletionThread() = default;

bool CompletionThread::IsCurrent() { return on_completion_thread; }

void CompletionThread::Serve() {
  on_completion_thread = true;
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
    handed_over_.load(std::memory_order_acquire);
    static_cast<CallTag*>(tag)->Proceed(ok);
  }
}

bool CompletionThread::Add(Call* call) {
  MutexLock lock(&mutex_);
  if (closing_) return false;
  call->next_ = calls_;
  if (calls_ != nullptr) calls_->previous_ = call;
  calls_ = call;
  in_flight_.fetch_add(1);
  return true;
}

void CompletionThread::Remove(Call* call) {
  {
    MutexLock lock(&mutex_);
    if (call->next_ != nullptr) call->next_->previous_ = call->previous_;
    (call->previous_ != nullptr ? call->previous_->next_ : calls_) = call->next_;
  }
  if (in_flight_.fetch_sub(1) == 1) in_flight_.notify_all();
}

void CompletionThread::Refuse() {
  MutexLock lock(&mutex_);
  closing_ = true;
  for (Call* call = calls_; call != nullptr; call = call->next_) call->Cancel();
}

void CompletionThread::Close() {
  Refuse();
  for (size_t left = in_flight_.load(); left != 0; left = in_flight_.load()) in_flight_.wait(left);
  queue_.Shutdown();
  thread_.join();
}

}  // namespace ferrite
