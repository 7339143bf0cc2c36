#include "server/access/checked_stream.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "server/access/redaction.h"
#include "server/auth/denial.h"
#include "server/engine/serving_thread.h"
#include "server/engine/timers.h"

namespace ferrite {
namespace {

class CheckedAnswer final : public Answer {
 public:
  CheckedAnswer(Method method, std::unique_ptr<Answer> plain, MayHave may_have, KnownCaller known,
                AccessControl* access, Turn* turn)
      : method_(method),
        plain_(std::move(plain)),
        may_have_(std::move(may_have)),
        known_(std::move(known)),
        access_(*access),
        caller_(turn->caller()),
        waker_(turn->waker()),
        number_(access->Watch(waker_)),
        redacted_(IsRedactedFor(known_.who)) {
    SetTimer();
  }
  ~CheckedAnswer() override { access_.Unwatch(number_); }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (!access_.StillHolds(known_)) [[unlikely]] {
      const std::string* const name_space = known_.who.name_space;
      known_ = access_.Know(caller_);
      // What it was in another namespace says nothing of this one.
      if (!known_.who.problem.ok() || known_.who.name_space != name_space ||
          !may_have_(known_.who)) {
        end->status = NoLongerAllowed(known_.who);
        TellDenied(access_.audit(), known_.who, caller_, {.method = method_}, end->status);
        return Next::kEnd;
      }
      redacted_ = IsRedactedFor(known_.who);
      SetTimer();
    }
    const Next next = plain_->Advance(message, end);
    if (redacted_ && next == Next::kMessage && !Redact(method_, message)) [[unlikely]] {
      end->status = absl::InternalError("a message could not be read");
      return Next::kEnd;
    }
    return next;
  }
  void Sent() override { plain_->Sent(); }
  bool WriteLastWord(ReplyWriter* message) override {
    return plain_->WriteLastWord(message) && (!redacted_ || Redact(method_, message));
  }

 private:
  bool IsRedactedFor(const Identity& who) const {
    return who.rights->redacted() && IsRedacted(method_);
  }

  // Wakes the stream when the credential's time is over, also if it is quiet then.
  void SetTimer() {
    using std::chrono::steady_clock;
    if (known_.who.expires == Identity::WallClock::time_point::max()) return;
    // The wall clock may be set meanwhile, so it is looked at now and then.
    constexpr std::chrono::seconds kBetweenLooks(10);
    const auto left = known_.who.expires - Identity::WallClock::now();
    timer_.Set(ServingThread::Current()->timers(),
               steady_clock::now() + std::clamp<steady_clock::duration>(
                                         left, std::chrono::milliseconds(1), kBetweenLooks));
  }
  void OnTimer() {
    if (!access_.StillHolds(known_)) return waker_.Wake();
    SetTimer();
  }

  const Method method_;
  const std::unique_ptr<Answer> plain_;
  const MayHave may_have_;
  KnownCaller known_;
  AccessControl& access_;
  const Caller& caller_;
  const Waker waker_;
  const uint64_t number_;
  bool redacted_;
  Timer timer_{[this] { OnTimer(); }};
};

}  // namespace

Handler CheckedStream(Method method, Handler plain, ReadWish read_wish, AccessControl* access) {
  return [method, plain = std::move(plain), read_wish = std::move(read_wish),
          access](Turn* turn) -> absl::Status {
    KnownCaller known = access->Know(turn->caller());
    // Whoever has no right at all is not told what is wrong with a request.
    if (known.who.rights->empty())
      return access->Deny(known.who, turn->caller(), {.method = method});
    MayHave may_have;
    if (absl::Status status = read_wish(turn->request(), &may_have); !status.ok()) return status;
    if (!may_have(known.who)) return access->Deny(known.who, turn->caller(), {.method = method});
    if (absl::Status status = plain(turn); !status.ok()) return status;
    std::unique_ptr<Answer> answer = turn->TakeAnswer();
    if (answer == nullptr) return absl::OkStatus();
    turn->Later(std::make_unique<CheckedAnswer>(method, std::move(answer), std::move(may_have),
                                                std::move(known), access, turn));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
