#include <iostream>

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/channel.h"
#include "client/cli/commands.h"
#include "client/cli/progress.h"
#include "client/cli/quantity.h"
#include "client/cli/terminal.h"
#include "client/error.h"
#include "client/steady_time.h"
#include "ferrite/v1/admin.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {
namespace {

struct FlushArguments {
  bool yes = false;
};

absl::Status Confirm(const Session& session) {
  if (!InputIsTerminal()) {
    return absl::FailedPreconditionError(
        "nobody is there to confirm this; --yes deletes everything without asking");
  }
  PrintUnfinishedNote("Delete every entry of " + session.Server() + "? Type yes: ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") return absl::CancelledError("nothing was deleted");
  return absl::OkStatus();
}

// One FlushWithProgress call. It may take any time, but must not be silent for longer than a
// timeout.
class FlushStream {
 public:
  FlushStream(const std::string& server, absl::Duration timeout)
      : server_(server),
        timeout_(timeout),
        stub_(MakeChannel(server)),
        reader_(stub_.PrepareAsyncFlushWithProgress(&context_, {}, &queue_)) {
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
    const gpr_timespec deadline = GrpcTimeIn(absl::ToChronoNanoseconds(timeout_));
    if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) return ok;
    silent_ = true;
    context_.TryCancel();
    queue_.Next(&tag, &ok);
    return ok;
  }

  const std::string server_;
  const absl::Duration timeout_;
  v1::AdminService::Stub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::FlushWithProgressResponse>> reader_;
  bool open_ = false;
  bool silent_ = false;
};

std::string EntriesText(uint64_t count) {
  return Grouped(count) + (count == 1 ? " entry" : " entries");
}

// Returns how many entries were deleted.
absl::StatusOr<uint64_t> Flush(const Session& session) {
  FlushStream stream(session.Server(), session.timeout_or_default());
  ProgressLine line;
  v1::FlushWithProgressResponse progress;
  while (stream.Read(&progress)) {
    line.Show(absl::StrCat(ProgressBar("Deleting", progress.done_fraction()), ", ",
                           EntriesText(progress.deleted())));
  }
  const absl::Status end = stream.End();
  if (progress.finished()) return progress.deleted();
  if (progress.deleted() == 0 && !end.ok()) return end;
  const std::string so_far =
      absl::StrCat("; ", EntriesText(progress.deleted()), " had been deleted by then");
  if (end.ok()) {
    return absl::InternalError("the server ended the flush before it was finished" + so_far);
  }
  return Annotated(end, "", so_far);
}

absl::StatusOr<ExitCode> RunFlush(Session& session, const FlushArguments& arguments) {
  if (!arguments.yes) {
    if (absl::Status status = Confirm(session); !status.ok()) return status;
  }
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  absl::StatusOr<uint64_t> deleted = Flush(session);
  if (absl::IsUnimplemented(deleted.status())) {  // a server that only has Flush
    const absl::StatusOr<v1::FlushResponse> reply = (*client)->Flush();
    if (!reply.ok()) return reply.status();
    deleted = reply->deleted();
  }
  if (!deleted.ok()) return deleted.status();
  if (session.json) {
    PrintJson({{"deleted", *deleted}});
  } else {
    PrintLine("deleted " + EntriesText(*deleted));
  }
  return ExitCode::kOk;
}

}  // namespace

void AddFlush(CLI::App& app, Session& session) {
  auto flush = std::make_shared<FlushArguments>();
  CLI::App* command =
      AddCommand(app, session, "flush",
                 "Delete every entry; of a cluster, those of one node: the one that is asked",
                 flush, RunFlush);
  command->add_flag("--yes", flush->yes, "Do not ask");
}

}  // namespace ferrite::cli
