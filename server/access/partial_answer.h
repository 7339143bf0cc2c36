#pragma once

// The answer to a request of which only a part is allowed: that part is executed as a request of
// its own, and what became of it is put between the refusals.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/engine/rpc.h"

namespace ferrite {

class PartialAnswer final : public Answer {
 public:
  // Writes the answer to the whole request, by the bytes of that to the part.
  using Merge = std::function<absl::Status(const std::string& part, ReplyWriter* whole)>;

  // `part` is the request of what is allowed.
  PartialAnswer(std::string part, Merge merge)
      : part_(std::move(part)), request_(std::string_view(part_)), merge_(std::move(merge)) {}

  // Has `plain` execute the part. Without this nothing is executed, and the answer to it is empty.
  absl::Status Begin(const Handler& plain, const Turn& whole);

  Next Advance(ReplyWriter* message, CallEnd* end) override;

 private:
  const std::string part_;
  const Request request_;
  const Merge merge_;
  ReplyWriter reply_;
  std::unique_ptr<Answer> later_;  // to which all of that belongs
};

// Appends a field of bytes to a message in the making.
void AppendField(int number, std::string_view bytes, std::string* message);

}  // namespace ferrite
