#include "server/wire/reply_writer.h"

#include <algorithm>
#include <cstring>

namespace ferrite {
namespace {

// A frame of 64 reads of small values fits in the first; the others serve the rest.
constexpr size_t kFirstChunkBytes = size_t{8} << 10;
constexpr size_t kChunkBytes = size_t{64} << 10;

void Unref(void* block) { static_cast<ValueBlock*>(block)->Unref(); }
void Release(void* owner) { delete static_cast<std::shared_ptr<const void>*>(owner); }

}  // namespace

void ReplyWriter::AppendValue(const Value& value) {
  const std::string_view bytes = value.view();
  ValueBlock* const block = value.block();
  if (block == nullptr || bytes.size() < kMinSharedBytes) {
    std::memcpy(Append(bytes.size()), bytes.data(), bytes.size());
    return;
  }
  CloseChunk();
  block->Ref();
  slices_.emplace_back(const_cast<char*>(bytes.data()), bytes.size(), &Unref, block);
  closed_bytes_ += bytes.size();
}

void ReplyWriter::AppendReference(std::string_view bytes,
                                  const std::shared_ptr<const void>& owner) {
  CloseChunk();
  slices_.emplace_back(const_cast<char*>(bytes.data()), bytes.size(), &Release,
                       new std::shared_ptr<const void>(owner));
  closed_bytes_ += bytes.size();
}

grpc::ByteBuffer ReplyWriter::Take() {
  CloseChunk();
  grpc::ByteBuffer reply(slices_.data(), slices_.size());
  Clear();
  return reply;
}

void ReplyWriter::Clear() {
  slices_.clear();
  if (begin_ != nullptr) grpc_slice_unref(chunk_);
  begin_ = next_ = end_ = nullptr;
  closed_bytes_ = 0;
}

void ReplyWriter::Grow(size_t bytes) {
  CloseChunk();
  const size_t chunk_bytes = std::max(bytes, slices_.empty() ? kFirstChunkBytes : kChunkBytes);
  chunk_ = grpc_slice_malloc(chunk_bytes);
  begin_ = next_ = reinterpret_cast<char*>(GRPC_SLICE_START_PTR(chunk_));
  end_ = begin_ + chunk_bytes;
}

void ReplyWriter::CloseChunk() {
  if (begin_ == nullptr) return;
  const size_t used = static_cast<size_t>(next_ - begin_);
  GRPC_SLICE_SET_LENGTH(chunk_, used);
  slices_.emplace_back(chunk_, grpc::Slice::STEAL_REF);
  closed_bytes_ += used;
  begin_ = next_ = end_ = nullptr;
}

}  // namespace ferrite
