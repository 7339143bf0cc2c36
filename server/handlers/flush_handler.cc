#include "server/handlers/flush_handler.h"

#include <chrono>
#include <memory>

#include "ferrite/v1/admin.pb.h"
#include "server/call/status.h"
#include "store/flush_walk.h"

namespace ferrite {
namespace {

class FlushAnswer final : public Answer {
 public:
  explicit FlushAnswer(Store* store) : walk_(store) {}

  Next Advance(ReplyWriter* message, CallEnd*) override {
    if (walk_.Step()) return Next::kYield;
    v1::FlushResponse response;
    response.set_deleted(walk_.deleted());
    message->AppendMessage(response);
    return Next::kEnd;
  }

 private:
  FlushWalk walk_;
};

class FlushProgressAnswer final : public Answer {
 public:
  explicit FlushProgressAnswer(Store* store) : walk_(store) {}

  Next Advance(ReplyWriter* message, CallEnd*) override {
    if (finished_) return Next::kEnd;
    finished_ = !walk_.Step();
    const auto now = std::chrono::steady_clock::now();
    if (!finished_ && now - told_at_ < kBetweenMessages) return Next::kYield;
    told_at_ = now;
    v1::FlushWithProgressResponse response;
    response.set_deleted(walk_.deleted());
    response.set_done_fraction(finished_ ? 1 : walk_.fraction_done());
    response.set_finished(finished_);
    message->AppendMessage(response);
    return Next::kMessage;
  }

 private:
  // Often enough for a progress bar to move.
  static constexpr auto kBetweenMessages = std::chrono::milliseconds(50);

  FlushWalk walk_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point told_at_;
};

}  // namespace

absl::Status OpenFlush(Store* store, Turn* turn) {
  v1::FlushRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("FlushRequest");
  turn->Later(std::make_unique<FlushAnswer>(store));
  return absl::OkStatus();
}

absl::Status OpenFlushWithProgress(Store* store, Turn* turn) {
  v1::FlushWithProgressRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("FlushWithProgressRequest");
  turn->Later(std::make_unique<FlushProgressAnswer>(store));
  return absl::OkStatus();
}

}  // namespace ferrite
