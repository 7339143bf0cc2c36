#include "client/completion_thread.h"

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

bool CompletionThread::Add(InFlight* one) {
  MutexLock lock(&mutex_);
  if (closing_) return false;
  one->next_ = first_;
  if (first_ != nullptr) first_->previous_ = one;
  first_ = one;
  in_flight_.fetch_add(1);
  return true;
}

void CompletionThread::Remove(InFlight* one) {
  {
    MutexLock lock(&mutex_);
    if (one->next_ != nullptr) one->next_->previous_ = one->previous_;
    (one->previous_ != nullptr ? one->previous_->next_ : first_) = one->next_;
  }
  if (in_flight_.fetch_sub(1) == 1) in_flight_.notify_all();
}

void CompletionThread::Refuse() {
  MutexLock lock(&mutex_);
  closing_ = true;
  for (InFlight* one = first_; one != nullptr; one = one->next_) one->Cancel();
}

void CompletionThread::Close() {
  Refuse();
  for (size_t left = in_flight_.load(); left != 0; left = in_flight_.load()) in_flight_.wait(left);
  queue_.Shutdown();
  thread_.join();
}

}  // namespace ferrite
