#pragma once

// The four calls that callers make, whichever way they reach the cluster.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Why a call failed.
struct CallFailure {
  std::string reason;  // the server's or, without one, that of the connection
  // It is known that the call was not executed.
  bool nothing_was_done = false;
};

// Of one caller.
class KeyService {
 public:
  virtual ~KeyService() = default;

  // Which of the ways to the cluster this is: a node's address, or "library".
  virtual const std::string& way() const = 0;
  // False: there is no connection; a while has been waited for one.
  virtual bool Ready() = 0;
  // Whether a Set may be executed more than once, as it is tried again.
  virtual bool RepeatsSets() const = 0;
  // None if the response has been filled.
  virtual std::optional<CallFailure> Call(const v1::GetRequest& request,
                                          v1::GetResponse* response) = 0;
  virtual std::optional<CallFailure> Call(const v1::SetRequest& request,
                                          v1::SetResponse* response) = 0;
  virtual std::optional<CallFailure> Call(const v1::DeleteRequest& request,
                                          v1::DeleteResponse* response) = 0;
  virtual std::optional<CallFailure> Call(const v1::IncrRequest& request,
                                          v1::IncrResponse* response) = 0;
};

// One node, by plain stubs over a connection of its own.
std::unique_ptr<KeyService> NodeByStubs(const std::string& address, absl::Duration timeout);

// All nodes, as the client library finds them. So many callers share one Client.
std::vector<std::unique_ptr<KeyService>> NodesByLibrary(const std::vector<std::string>& seeds,
                                                        uint32_t callers);

}  // namespace ferrite
