#include "client/cli/events/follow.h"

#include <atomic>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "client/cli/bytes.h"
#include "client/cli/events/event_report.h"
#include "client/cli/interrupt.h"
#include "client/cli/options.h"
#include "client/cli/terminal.h"
#include "client/error.h"
#include "client/subscription.h"

namespace ferrite::cli {
namespace {

// How often the main thread checks whether it is over.
constexpr absl::Duration kGlance = absl::Milliseconds(50);

// Prints events. Its callbacks run on a completion thread; the rest is thread-safe.
class Printer {
 public:
  Printer(bool json, std::optional<uint64_t> count)
      : json_(json), colored_(!json && OutputHasColor()), left_(count) {
    if (left_ == 0) done_.store(true);
  }

  SubscriptionCallbacks Callbacks() {
    return {.on_event = [this](const v1::SubscriptionEvent& event) { Take(event); },
            .on_lost = [this](const absl::Status& why) { NoteLoss(why); },
            .on_end = [this](const absl::Status& why) { NoteEnd(why); }};
  }

  // Whether there is nothing more to print.
  bool done() const { return done_.load(); }
  bool acknowledged() const { return acknowledged_.load(); }

  // Why there is no stream at the moment; OK if there is one, or before the first try.
  absl::Status problem() const {
    MutexLock lock(&mutex_);
    return problem_;
  }
  // Why the subscription ended by itself; OK if it did not.
  absl::Status failure() const {
    MutexLock lock(&mutex_);
    return failure_;
  }

 private:
  void Take(const v1::SubscriptionEvent& event) {
    if (done()) return;
    if (event.has_acknowledgement()) NoteAcknowledgement(event.acknowledgement());
    if (json_) {
      PrintJson(EventJson(event));
    } else if (const std::string row = EventRow(event, absl::Now(), colored_); !row.empty()) {
      PrintLine(row);
    }
    const bool written = FlushOutput();
    const bool counts = event.has_message() || event.has_key_event();
    if (counts && left_.has_value()) --*left_;
    // If the reader is gone, main reports it.
    if (left_ == 0 || !written) done_.store(true);
  }

  void NoteAcknowledgement(const v1::Acknowledgement& acknowledgement) {
    if (acknowledged_.exchange(true)) {
      PrintNote(acknowledgement.resumed() ? "connected again; nothing was missed"
                                          : "connected again");
    }
    MutexLock lock(&mutex_);
    problem_ = absl::OkStatus();
  }

  void NoteLoss(const absl::Status& why) {
    MutexLock lock(&mutex_);
    // Reported once while a server is away.
    if (problem_.message() != why.message()) {
      PrintNote(
          absl::StrCat("ferrite: ", DisplayText(std::string(why.message())), "; trying again"));
    }
    problem_ = why;
  }

  void NoteEnd(const absl::Status& why) {
    MutexLock lock(&mutex_);
    if (!absl::IsCancelled(why)) failure_ = why;
    done_.store(true);
  }

  const bool json_;
  const bool colored_;
  std::optional<uint64_t> left_;
  std::atomic<bool> done_{false};
  std::atomic<bool> acknowledged_{false};
  mutable Mutex mutex_;
  absl::Status problem_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

void AddFollowOptions(CLI::App* command, FollowArguments* arguments) {
  AddUnsigned(command, "--count", &arguments->count, "Stop after this many; Ctrl-C stops as well");
  command
      ->add_option("--resume", arguments->resume,
                   "Continue after this resume_token, as printed by --json")
      ->type_name("TOKEN");
}

absl::StatusOr<ExitCode> Follow(Session& session, const FollowArguments& arguments,
                                v1::SubscribeRequest request) {
  absl::StatusOr<std::string> token = DecodeArgument(arguments.resume, /*base64=*/true);
  if (!token.ok()) return token.status();
  request.set_resume_token(*std::move(token));
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();

  const InterruptFlag interrupted;
  Printer printer(session.json, arguments.count);
  const auto patience_ends =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(session.timeout_or_default());
  std::unique_ptr<Subscription> subscription =
      (*client)->Subscribe(std::move(request), printer.Callbacks());
  while (!printer.done() && !interrupted.WaitFor(kGlance) && IsRead()) {
    if (printer.acknowledged() || std::chrono::steady_clock::now() < patience_ends) continue;
    if (absl::Status problem = printer.problem(); !problem.ok()) return problem;
    return NoAnswer(session.servers, session.timeout_or_default());
  }
  subscription.reset();  // after the last callback
  if (absl::Status failure = printer.failure(); !failure.ok()) return failure;
  return ExitCode::kOk;
}

}  // namespace ferrite::cli
