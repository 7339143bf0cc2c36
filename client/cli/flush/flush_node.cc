#include "client/cli/flush/flush_node.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/channel.h"
#include "client/cli/quantity.h"
#include "client/error.h"
#include "client/steady_time.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {
namespace {

gpr_timespec TimeIn(absl::Duration duration) {
  return GrpcTimeIn(absl::ToChronoNanoseconds(duration));
}

// One FlushWithProgress call.
class FlushStream {
 public:
  FlushStream(v1::AdminService::Stub* stub, const std::string& server, absl::Duration timeout)
      : server_(server),
        timeout_(timeout),
        reader_(stub->PrepareAsyncFlushWithProgress(&context_, {}, &queue_)) {
    reader_->StartCall(this);
    open_ = Await();
  }

  // The next message. False at the end.
  bool Read(v1::FlushWithProgressResponse* progress) {
    if (!open_) return false;
    reader_->Read(progress, this);
    return open_ = Await();
  }

  // How the call ended. Call it once, when Read has returned false.
  absl::Status End() {
    grpc::Status status;
    reader_->Finish(&status, this);
    Await();
    return silent_ ? NoAnswer(server_, timeout_) : ToAbslStatus(status, server_, timeout_);
  }

 private:
  // Waits for the pending operation; cancels the call if that takes too long.
  bool Await() {
    void* tag;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, TimeIn(timeout_)) == grpc::CompletionQueue::GOT_EVENT)
      return ok;
    silent_ = true;
    context_.TryCancel();
    queue_.Next(&tag, &ok);
    return ok;
  }

  const std::string server_;
  const absl::Duration timeout_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::FlushWithProgressResponse>> reader_;
  bool open_ = false;
  bool silent_ = false;
};

// Of a server that has nothing else.
absl::StatusOr<uint64_t> FlushWithoutProgress(v1::AdminService::Stub* stub,
                                              const std::string& server, absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(TimeIn(timeout));
  v1::FlushResponse reply;
  const grpc::Status status = stub->Flush(&context, {}, &reply);
  if (!status.ok()) return ToAbslStatus(status, server, timeout);
  return reply.deleted();
}

}  // namespace

std::string EntriesText(uint64_t count) {
  return Grouped(count) + (count == 1 ? " entry" : " entries");
}

absl::StatusOr<uint64_t> FlushNode(const std::string& server, const Credentials& credentials,
                                   absl::Duration timeout, const FlushListener& listener) {
  v1::AdminService::Stub stub(MakeChannel(server, credentials));
  FlushStream stream(&stub, server, timeout);
  v1::FlushWithProgressResponse progress;
  while (stream.Read(&progress)) listener(progress.deleted(), progress.done_fraction());
  const absl::Status end = stream.End();
  if (progress.finished()) return progress.deleted();
  if (absl::IsUnimplemented(end)) return FlushWithoutProgress(&stub, server, timeout);
  if (progress.deleted() == 0 && !end.ok()) return end;
  const std::string so_far =
      absl::StrCat("; ", EntriesText(progress.deleted()), " had been deleted by then");
  if (end.ok()) {
    return absl::InternalError("the server ended the flush before it was finished" + so_far);
  }
  return Annotated(end, "", so_far);
}

}  // namespace ferrite::cli
