#include "server/call/request.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include "google/protobuf/io/zero_copy_stream_impl.h"

namespace ferrite {
namespace {

using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::ConcatenatingInputStream;
using google::protobuf::io::ZeroCopyInputStream;

}  // namespace

Request::Request(std::vector<std::string_view> pieces)
    : pieces_(std::move(pieces)), joined_(false) {
  for (const std::string_view piece : pieces_) size_ += piece.size();
}

void Request::Join() const {
  while (JoinNext(size_)) {
  }
}

bool Request::JoinNext(size_t bytes) const {
  if (joined_) return false;
  copy_.reserve(size_);
  for (const size_t end = copy_.size() + bytes; copied_pieces_ < pieces_.size();) {
    if (copy_.size() >= end) return true;
    copy_.append(pieces_[copied_pieces_++]);
  }
  whole_ = copy_;
  joined_ = true;
  return false;
}

void Request::CopyOut(size_t begin, size_t bytes, char* to) const {
  if (joined_) {
    std::memcpy(to, whole_.data() + begin, bytes);
    return;
  }
  for (const std::string_view piece : pieces_) {
    if (begin >= piece.size()) {
      begin -= piece.size();
      continue;
    }
    const size_t here = std::min(bytes, piece.size() - begin);
    std::memcpy(to, piece.data() + begin, here);
    to += here;
    bytes -= here;
    begin = 0;
    if (bytes == 0) return;
  }
}

bool Request::ParseInto(google::protobuf::MessageLite* message) const {
  if (joined_) return message->ParseFromArray(whole_.data(), static_cast<int>(whole_.size()));
  std::deque<ArrayInputStream> streams;  // which cannot be moved
  std::vector<ZeroCopyInputStream*> in_order;
  for (const std::string_view piece : pieces_) {
    in_order.push_back(&streams.emplace_back(piece.data(), static_cast<int>(piece.size())));
  }
  ConcatenatingInputStream input(in_order.data(), static_cast<int>(in_order.size()));
  return message->ParseFromZeroCopyStream(&input);
}

}  // namespace ferrite
