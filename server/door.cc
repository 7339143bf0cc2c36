#include "server/door.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/admission/pushback.h"
#include "server/call/method.h"
#include "server/call/request.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

// Places come free when clients leave, which may take a while.
constexpr std::chrono::milliseconds kDelay(500);

absl::Status Refusal(size_t connections, size_t wanted) {
  const std::string limit = std::to_string(connections);
  const std::string text =
      connections < wanted
          ? absl::StrCat("the server has as many connections as it has file descriptors for: ",
                         limit, " (ulimit -n; --max-connections is ", wanted, ")")
          : absl::StrCat("the server has as many connections as it may: ", limit,
                         " (--max-connections)");
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, text,
                   {{"limit", limit}, {"flag", "--max-connections"}});
}

absl::StatusOr<std::string> Check(const Health& health, std::string_view bytes) {
  grpc::health::v1::HealthCheckRequest request;
  if (!Request(bytes).ParseInto(&request)) return Malformed("HealthCheckRequest");
  Health::Response response;
  if (absl::Status status = health.Check(request, &response); !status.ok()) return status;
  return response.SerializeAsString();
}

}  // namespace

DoorPolicy PolicyOfDoor(size_t connections, size_t wanted, const Health* health) {
  DoorPolicy policy{.answers = {}, .refusal = Refusal(connections, wanted), .pushback = [] {
                      return RandomPushback(kDelay);
                    }};
  const MethodName& check = NameOf(Method::kHealthCheck);
  policy.answers[absl::StrCat("/", std::string(check.service), "/", std::string(check.method))] =
      [health](std::string_view request) { return Check(*health, request); };
  return policy;
}

}  // namespace ferrite
