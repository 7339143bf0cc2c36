#include "client/cancellation.h"

namespace ferrite {

void Cancellation::Cancel() {
  MutexLock lock(&mutex_);
  if (cancelled_) return;
  cancelled_ = true;
  for (Link* link = targets_.next(); link != &targets_; link = link->next()) {
    static_cast<Target*>(link)->CancelByCaller();
  }
}

bool Cancellation::cancelled() const {
  MutexLock lock(&mutex_);
  return cancelled_;
}

void Cancellation::Add(Target* target) {
  MutexLock lock(&mutex_);
  targets_.Append(target);
  if (cancelled_) target->CancelByCaller();
}

void Cancellation::Remove(Target* target) {
  MutexLock lock(&mutex_);
  target->Unlink();
}

}  // namespace ferrite
