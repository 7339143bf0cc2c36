#include "server/health/health.h"

#include <memory>
#include <utility>

#include "server/call/method.h"
#include "server/call/status.h"

namespace ferrite {

// Sends how things stand, whenever that is not what it sent last.
class Health::Watcher final : public Answer {
 public:
  Watcher(Health* health, Subject subject, const Waker& waker)
      : health_(*health), subject_(subject) {
    MutexLock lock(&health_.mutex_);
    number_ = ++health_.last_watcher_;
    health_.watchers_.emplace(number_, waker);
  }
  ~Watcher() override {
    MutexLock lock(&health_.mutex_);
    health_.watchers_.erase(number_);
  }

  Next Advance(ReplyWriter* message, CallEnd*) override {
    return WriteNews(message) ? Next::kMessage : Next::kWait;
  }
  // Whoever is to send traffic elsewhere must hear it before the end.
  bool WriteLastWord(ReplyWriter* message) override { return WriteNews(message); }

 private:
  bool WriteNews(ReplyWriter* message) {
    const Response::ServingStatus status = health_.StatusOf(subject_);
    if (status == told_) return false;
    told_ = status;
    Response response;
    response.set_status(status);
    message->AppendMessage(response);
    return true;
  }

  Health& health_;
  const Subject subject_;
  uint64_t number_;
  Response::ServingStatus told_ = Response::UNKNOWN;
};

void Health::SetServing(bool serving) {
  MutexLock lock(&mutex_);
  serving_ = serving;
  Tell();
}

void Health::SetKeysServed(bool served) {
  MutexLock lock(&mutex_);
  keys_served_ = served;
  Tell();
}

void Health::Tell() {
  for (const auto& [number, waker] : watchers_) waker.Wake();
}

Health::Subject Health::SubjectOf(std::string_view service) {
  if (service == kCacheService) return Subject::kKeys;
  // The empty name stands for the server.
  const bool known = service.empty() || service == kAdminService || service == kClusterService;
  return known ? Subject::kServer : Subject::kUnknown;
}

Health::Response::ServingStatus Health::StatusOf(Subject subject) const {
  if (subject == Subject::kUnknown) return Response::SERVICE_UNKNOWN;
  MutexLock lock(&mutex_);
  const bool serves = serving_ && (subject == Subject::kServer || keys_served_);
  return serves ? Response::SERVING : Response::NOT_SERVING;
}

absl::Status Health::Check(const grpc::health::v1::HealthCheckRequest& request,
                           Response* response) const {
  response->set_status(StatusOf(SubjectOf(request.service())));
  if (response->status() == Response::SERVICE_UNKNOWN) {
    return absl::NotFoundError("no such service");
  }
  return absl::OkStatus();
}

absl::Status Health::Watch(Turn* turn) {
  grpc::health::v1::HealthCheckRequest request;
  if (!turn->request().ParseInto(&request)) {
    return Malformed("grpc.health.v1.HealthCheckRequest");
  }
  turn->Later(std::make_unique<Watcher>(this, SubjectOf(request.service()), turn->waker()));
  return absl::OkStatus();
}

}  // namespace ferrite
