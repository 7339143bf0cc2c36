#include "server/access/partial_answer.h"

#include "proto/wire/field_writer.h"

namespace ferrite {

absl::Status PartialAnswer::Begin(const Handler& plain, const Turn& whole) {
  Turn part(whole, request_, &reply_);
  absl::Status status = plain(&part);
  later_ = part.TakeAnswer();
  return status;
}

Answer::Next PartialAnswer::Advance(ReplyWriter* message, CallEnd* end) {
  if (later_ != nullptr) {
    if (const Next next = later_->Advance(&reply_, end); next != Next::kEnd) return next;
    later_.reset();
  }
  if (end->status.ok()) end->status = merge_(TakeBytes(&reply_), message);
  return Next::kEnd;
}

void AppendField(int number, std::string_view bytes, std::string* message) {
  const size_t begin = message->size();
  message->resize(begin + BytesFieldSize(number, bytes));
  FieldWriter(message->data() + begin).Bytes(number, bytes);
}

}  // namespace ferrite
