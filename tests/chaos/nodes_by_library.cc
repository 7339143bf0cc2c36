#include "base/check.h"
#include "client/client.h"
#include "client/error.h"
#include "tests/chaos/key_service.h"

namespace ferrite {
namespace {

class LibraryService final : public KeyService {
 public:
  explicit LibraryService(std::shared_ptr<Client> client) : client_(std::move(client)) {}

  const std::string& way() const override { return way_; }
  bool Ready() override { return true; }
  bool RepeatsSets() const override { return true; }

  std::optional<CallFailure> Call(const v1::GetRequest& request,
                                  v1::GetResponse* response) override {
    return Take(client_->Get(request), response, /*repeats=*/true);
  }
  std::optional<CallFailure> Call(const v1::SetRequest& request,
                                  v1::SetResponse* response) override {
    return Take(client_->Set(request), response, /*repeats=*/true);
  }
  std::optional<CallFailure> Call(const v1::DeleteRequest& request,
                                  v1::DeleteResponse* response) override {
    return Take(client_->Delete(request), response, /*repeats=*/false);
  }
  // Without a request_id it is tried again only if nothing was done.
  std::optional<CallFailure> Call(const v1::IncrRequest& request,
                                  v1::IncrResponse* response) override {
    return Take(client_->Incr(request), response, /*repeats=*/false);
  }

 private:
  template <typename Response>
  static std::optional<CallFailure> Take(absl::StatusOr<Response> outcome, Response* response,
                                         bool repeats) {
    if (outcome.ok()) {
      *response = *std::move(outcome);
      return std::nullopt;
    }
    const std::string reason = ReasonOf(outcome.status());
    return CallFailure{
        "library: " + (reason.empty() ? absl::StatusCodeToString(outcome.status().code()) : reason),
        // An earlier try of a call that may be repeated may have been executed all the same.
        !repeats && SaysNothingWasDone(outcome.status())};
  }

  // Of the last try: what must not be repeated was tried again only if nothing was done before.
  static bool SaysNothingWasDone(const absl::Status& status) {
    if (!MayBeDone(status)) return true;
    const std::string_view message(status.message().data(), status.message().size());
    return message.starts_with("cannot reach ") || message.starts_with("not sent to ");
  }

  const std::string way_ = "library";
  const std::shared_ptr<Client> client_;
};

}  // namespace

std::vector<std::unique_ptr<KeyService>> NodesByLibrary(const std::vector<std::string>& seeds,
                                                        uint32_t callers) {
  ClientOptions options;
  options.seeds = seeds;
  absl::StatusOr<std::unique_ptr<Client>> created = Client::Create(options);
  FERRITE_CHECK(created.ok());
  const std::shared_ptr<Client> client = *std::move(created);
  std::vector<std::unique_ptr<KeyService>> services;
  for (uint32_t caller = 0; caller < callers; ++caller) {
    services.push_back(std::make_unique<LibraryService>(client));
  }
  return services;
}

}  // namespace ferrite
