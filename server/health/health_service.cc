#include "server/health/health_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <string>

#include "server/engine/method.h"
#include "server/engine/step_tag.h"
#include "server/engine/tag.h"

namespace ferrite {
namespace {

constexpr int kArmedCalls = 4;  // of each method

}  // namespace

class HealthService::CheckCall final : public Tag {
 public:
  static void Arm(HealthService* owner) {
    auto* const call = new CheckCall(owner);
    grpc::ServerCompletionQueue* const queue = owner->thread_->queue();
    owner->service_.RequestCheck(&call->context_, &call->request_, &call->writer_, queue, queue,
                                 static_cast<Tag*>(call));
  }

  void Proceed(bool ok) override {
    if (answered_ || !ok || owner_.thread_->closed()) {
      delete this;
      return;
    }
    Arm(&owner_);
    answered_ = true;
    Response response;
    response.set_status(owner_.StatusOf(request_.service()));
    if (response.status() == Response::SERVICE_UNKNOWN) {
      writer_.FinishWithError({grpc::StatusCode::NOT_FOUND, "no such service"},
                              static_cast<Tag*>(this));
    } else {
      writer_.Finish(response, grpc::Status::OK, static_cast<Tag*>(this));
    }
  }

 private:
  explicit CheckCall(HealthService* owner) : owner_(*owner) {}

  HealthService& owner_;
  grpc::ServerContext context_;
  Request request_;
  grpc::ServerAsyncResponseWriter<Response> writer_{&context_};
  bool answered_ = false;
};

// A watch goes on until its client goes or the server cancels it. Either is told by the tag of
// AsyncNotifyWhenDone, which comes if and only if the call has begun, but perhaps before the tag
// that says so.
class HealthService::WatchCall final {
 public:
  static void Arm(HealthService* owner) {
    auto* const call = new WatchCall(owner);
    grpc::ServerCompletionQueue* const queue = owner->thread_->queue();
    call->context_.AsyncNotifyWhenDone(static_cast<Tag*>(&call->done_tag_));
    owner->service_.RequestWatch(&call->context_, &call->request_, &call->writer_, queue, queue,
                                 static_cast<Tag*>(&call->begun_tag_));
  }

  // Sends how things stand, unless it was sent already or a message is on its way.
  void Tell() {
    const Response::ServingStatus status = owner_.StatusOf(request_.service());
    if (done_ || writing_ || status == told_ || owner_.thread_->closed()) return;
    writing_ = true;
    told_ = status;
    Response response;
    response.set_status(status);
    writer_.Write(response, static_cast<Tag*>(&written_tag_));
  }

 private:
  explicit WatchCall(HealthService* owner) : owner_(*owner) {}

  void OnBegun(bool ok) {
    if (!ok) {
      delete this;
      return;
    }
    begun_ = true;
    if (!owner_.thread_->closed()) Arm(&owner_);
    owner_.watches_.insert(this);
    Tell();
    DeleteIfOver();
  }

  void OnWritten(bool ok) {
    writing_ = false;
    if (ok) Tell();
    DeleteIfOver();
  }

  void OnDone(bool) {
    done_ = true;
    DeleteIfOver();
  }

  void DeleteIfOver() {
    if (!begun_ || !done_ || writing_) return;
    owner_.watches_.erase(this);
    delete this;
  }

  HealthService& owner_;
  grpc::ServerContext context_;
  Request request_;
  grpc::ServerAsyncWriter<Response> writer_{&context_};
  StepTag<WatchCall, &WatchCall::OnBegun> begun_tag_{this};
  StepTag<WatchCall, &WatchCall::OnWritten> written_tag_{this};
  StepTag<WatchCall, &WatchCall::OnDone> done_tag_{this};
  Response::ServingStatus told_ = Response::UNKNOWN;
  bool begun_ = false;
  bool writing_ = false;
  bool done_ = false;
};

void HealthService::ServeOn(QueueThread* thread) {
  thread_ = thread;
  for (int i = 0; i < kArmedCalls; ++i) {
    CheckCall::Arm(this);
    WatchCall::Arm(this);
  }
}

void HealthService::SetServing(bool serving) {
  serving_ = serving;
  thread_->Do([this] {
    for (WatchCall* watch : watches_) watch->Tell();
  });
}

HealthService::Response::ServingStatus HealthService::StatusOf(const std::string& service) const {
  if (!service.empty() && service != kCacheService && service != kAdminService) {
    return Response::SERVICE_UNKNOWN;
  }
  return serving_ ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace ferrite
