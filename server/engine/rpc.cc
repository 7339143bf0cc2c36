#include "server/engine/rpc.h"

#include "server/engine/call.h"

namespace ferrite {

size_t Turn::thread_index() const { return call_->thread()->index(); }
Waker Turn::waker() const { return call_->waker(); }

}  // namespace ferrite
