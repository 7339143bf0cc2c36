#include "server/engine/joined_request.h"

#include <memory>
#include <utility>

namespace ferrite {
namespace {

constexpr size_t kStepBytes = size_t{256} << 10;

class JoiningAnswer final : public Answer {
 public:
  JoiningAnswer(std::shared_ptr<const Handler> handler, const Turn& turn)
      : handler_(std::move(handler)),
        request_(turn.request()),
        received_(turn.received()),
        caller_(turn.caller()),
        call_(turn.call()) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (later_ != nullptr) return later_->Advance(message, end);
    if (request_.JoinNext(kStepBytes)) return Next::kYield;
    Turn turn(request_, received_, caller_, message, call_);
    end->status = (*handler_)(&turn);
    later_ = turn.TakeAnswer();
    if (later_ == nullptr || !end->status.ok()) return Next::kEnd;
    return later_->Advance(message, end);
  }

 private:
  const std::shared_ptr<const Handler> handler_;
  const Request& request_;
  const Turn::Clock::time_point received_;
  const Caller& caller_;
  Call* const call_;
  std::unique_ptr<Answer> later_;
};

}  // namespace

Handler OfJoinedRequests(Handler handler) {
  return [handler = std::make_shared<const Handler>(std::move(handler))](Turn* turn) {
    const Request& request = turn->request();
    if (request.in_one_piece() || request.size() <= kStepBytes) [[likely]]
      return (*handler)(turn);
    turn->Later(std::make_unique<JoiningAnswer>(handler, *turn));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
