#include "server/handlers/large_set.h"

#include <algorithm>
#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "proto/wire/field_reader.h"

namespace ferrite {
namespace {

constexpr uint32_t kValue = v1::SetRequest::kValueFieldNumber;
constexpr size_t kStepBytes = size_t{256} << 10;

}  // namespace

bool LargeSet::Join() {
  const size_t size = request_.size();
  if (done_bytes_ == 0 && !request_.in_one_piece())
    joined_ = std::make_unique_for_overwrite<char[]>(size);
  if (bytes_.data() == nullptr) {
    bytes_ = joined_ == nullptr ? request_.bytes() : std::string_view(joined_.get(), size);
  }
  const size_t step = std::min(kStepBytes, size - done_bytes_);
  if (joined_ != nullptr) request_.CopyOut(done_bytes_, step, joined_.get() + done_bytes_);
  done_bytes_ += step;
  return done_bytes_ < size;
}

bool LargeSet::Parse() {
  size_t begin = 0;
  size_t values = 0;
  FieldReader field(bytes_);
  while (field.Next()) {
    if (!field.Is(kValue)) continue;
    value_ = field.bytes();
    values += FindValueField(value_, &begin) ? 1 : 2;
  }
  // No value, several, not as protobuf writes it, or something else that only protobuf reads: then
  // it does, in one step.
  if (!field.well_formed() || values != 1) {
    if (!head_.ParseFromArray(bytes_.data(), static_cast<int>(bytes_.size()))) return false;
    value_ = head_.value();
    return true;
  }
  std::string head(bytes_.substr(0, begin));
  head.append(bytes_.substr(static_cast<size_t>(value_.data() - bytes_.data()) + value_.size()));
  return head_.ParseFromString(head);
}

bool LargeSet::Hash() {
  if (head_.request_id().empty()) return false;
  if (!hashing_.has_value()) hashing_.emplace(v1::SetRequest::descriptor()->full_name());
  const std::string_view piece = bytes_.substr(hashed_bytes_, kStepBytes);
  hashing_->Add(piece);
  hashed_bytes_ += piece.size();
  if (hashed_bytes_ < bytes_.size()) return true;
  hash_ = hashing_->Finish();
  return false;
}

bool LargeSet::FindValueField(std::string_view field, size_t* begin) const {
  constexpr char kTag = kValue << 3 | 2;
  const size_t value_begin = static_cast<size_t>(field.data() - bytes_.data());
  const size_t head_bytes = 1 + google::protobuf::io::CodedOutputStream::VarintSize64(field.size());
  if (value_begin < head_bytes) return false;
  *begin = value_begin - head_bytes;
  return bytes_[*begin] == kTag;
}

}  // namespace ferrite
