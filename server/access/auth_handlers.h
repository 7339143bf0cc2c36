#pragma once

// AdminService.WhoAmI, Can and IssueToken: what a caller may ask about its own rights, and hand on
// of them. admin.proto is their contract.

#include "absl/status/status.h"
#include "ferrite/v1/admin.pb.h"
#include "server/access/access_control.h"

namespace ferrite {

// Thread-safe; called on serving threads, for the current caller.
class AuthHandlers {
 public:
  // `access` must outlive the handlers; null: there is no policy.
  explicit AuthHandlers(const AccessControl* access) : access_(access) {}

  absl::Status WhoAmI(const v1::WhoAmIRequest& request, v1::WhoAmIResponse* response);
  absl::Status Can(const v1::CanRequest& request, v1::CanResponse* response);
  absl::Status IssueToken(const v1::IssueTokenRequest& request, v1::IssueTokenResponse* response);

 private:
  const AccessControl* const access_;
};

}  // namespace ferrite
