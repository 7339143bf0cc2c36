#include "server/engine/waker.h"

#include "server/engine/call.h"
#include "server/engine/serving_thread.h"

namespace ferrite {

void WakeTarget::Advance() {
  woken.store(false);  // before the call looks: what comes later wakes it again
  if (call != nullptr) call->Advance();
}

void Waker::Wake() const {
  if (target_->woken.exchange(true)) return;
  if (ServingThread::Current() == &target_->thread) return target_->thread.AskSoon(target_);
  target_->thread.Post([target = target_] { target->Advance(); });
}

}  // namespace ferrite
