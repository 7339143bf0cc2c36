#include "server/engine/grpc/unknown_methods.h"

#include "server/call/status.h"
#include "server/engine/grpc/tag.h"
#include "server/engine/grpc/wire_status.h"
#include "server/metrics/refusals.h"

namespace ferrite {
namespace {

const absl::Status& NoSuchMethod() {
  static const absl::Status unknown =
      MakeError(absl::StatusCode::kUnimplemented, v1::METHOD_UNKNOWN,
                "this server has no such method; its reflection service lists those that it has");
  return unknown;
}

}  // namespace

// One call, from the wait for it to its end. Deletes itself.
class UnknownMethods::UnknownCall {
 public:
  static void Await(grpc::AsyncGenericService* service, QueueThread* thread) {
    auto* const call = new UnknownCall(service, thread);
    service->RequestCall(&call->context_, &call->stream_, thread->queue(), thread->queue(),
                         static_cast<Tag*>(&call->begun_tag_));
  }

 private:
  UnknownCall(grpc::AsyncGenericService* service, QueueThread* thread)
      : service_(*service), thread_(*thread) {}

  void OnBegun(bool ok) {
    if (!ok || thread_.closed()) return delete this;
    Await(&service_, &thread_);
    ThreadCounters::Current().Count(ShedReason::kUnknownMethod);
    CountRefusal(NoSuchMethod());
    stream_.Finish(ToGrpc(NoSuchMethod()), static_cast<Tag*>(&finished_tag_));
  }
  void OnFinished(bool) { delete this; }

  grpc::AsyncGenericService& service_;
  QueueThread& thread_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  StepTag<UnknownCall, &UnknownCall::OnBegun> begun_tag_{this};
  StepTag<UnknownCall, &UnknownCall::OnFinished> finished_tag_{this};
};

void UnknownMethods::Arm(QueueThread* thread) { UnknownCall::Await(&service_, thread); }

}  // namespace ferrite
