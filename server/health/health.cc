#include "server/health/health.h"

#include <memory>
#include <utility>

#include "server/call/method.h"
#include "server/call/status.h"

namespace ferrite {

// Sends how things stand, whenever that is not what it sent last.
class Health::Watcher final : public Answer {
 public:
  Watcher(Health* health, bool known, const Waker& waker) : health_(*health), known_(known) {
    MutexLock lock(&health_.mutex_);
    number_ = ++health_.last_watcher_;
    health_.watchers_.emplace(number_, waker);
  }
  ~Watcher() override {
    MutexLock lock(&health_.mutex_);
    health_.watchers_.erase(number_);
  }

  Next Advance(ReplyWriter* message, CallEnd*) override {
    const Response::ServingStatus status = health_.StatusOf(known_);
    if (status == told_) return Next::kWait;
    told_ = status;
    Response response;
    response.set_status(status);
    message->AppendMessage(response);
    return Next::kMessage;
  }

 private:
  Health& health_;
  const bool known_;  // not the name, which may have megabytes
  uint64_t number_;
  Response::ServingStatus told_ = Response::UNKNOWN;
};

void Health::SetServing(bool serving) {
  MutexLock lock(&mutex_);
  serving_ = serving;
  for (const auto& [number, waker] : watchers_) waker.Wake();
}

bool Health::Knows(std::string_view service) {
  return service.empty() || service == kCacheService || service == kAdminService ||
         service == kClusterService;
}

Health::Response::ServingStatus Health::StatusOf(bool known) const {
  if (!known) return Response::SERVICE_UNKNOWN;
  MutexLock lock(&mutex_);
  return serving_ ? Response::SERVING : Response::NOT_SERVING;
}

absl::Status Health::Check(const grpc::health::v1::HealthCheckRequest& request,
                           Response* response) const {
  response->set_status(StatusOf(Knows(request.service())));
  if (response->status() == Response::SERVICE_UNKNOWN) {
    return absl::NotFoundError("no such service");
  }
  return absl::OkStatus();
}

absl::Status Health::Watch(Turn* turn) {
  grpc::health::v1::HealthCheckRequest request;
  if (!turn->request().ParseInto(&request)) {
    return InvalidArgument(v1::MALFORMED, "what was sent is not a HealthCheckRequest");
  }
  turn->Later(std::make_unique<Watcher>(this, Knows(request.service()), turn->waker()));
  return absl::OkStatus();
}

}  // namespace ferrite
