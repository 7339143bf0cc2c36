#include "server/call/reply_writer.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace ferrite {
namespace {

// A frame of 64 reads of small values fits in the first; the others serve the rest.
constexpr size_t kFirstChunkBytes = size_t{8} << 10;
constexpr size_t kChunkBytes = size_t{64} << 10;
// What is around a large value, say: copied, so that the rest of the chunk serves what comes next.
constexpr size_t kMostCopiedBytes = 512;

void Unref(void* block) { static_cast<ValueBlock*>(block)->Unref(); }

// A block that a message refers to, and where that is counted.
struct CountedBlock {
  ValueBlock* block;
  std::shared_ptr<KeptBlocks> blocks;
  KeptBlocks::Share* share;
};
void LetGo(void* owner) {
  const std::unique_ptr<CountedBlock> counted(static_cast<CountedBlock*>(owner));
  counted->blocks->LetGo(counted->block, counted->share);
  counted->block->Unref();
}

void Release(void* owner) { delete static_cast<std::shared_ptr<const void>*>(owner); }

}  // namespace

ReplyWriter::~ReplyWriter() {
  Clear();
  std::free(begin_);
}

void ReplyWriter::AppendValue(const Value& value) {
  const std::string_view bytes = value.view();
  ValueBlock* const block = value.block();
  if (block == nullptr || bytes.size() < kMinSharedBytes) {
    std::memcpy(Append(bytes.size()), bytes.data(), bytes.size());
    return;
  }
  CloseChunk();
  block->Ref();
  if (blocks_ != nullptr) return AppendCounted(block);
  pieces_.push_back({bytes.data(), bytes.size(), &Unref, block});
  closed_bytes_ += bytes.size();
}

void ReplyWriter::AppendCounted(ValueBlock* block) {
  const std::string_view bytes = block->bytes();
  blocks_->Keep(block, share_);
  counted_bytes_ += bytes.size();
  pieces_.push_back({bytes.data(), bytes.size(), &LetGo, new CountedBlock{block, blocks_, share_}});
  closed_bytes_ += bytes.size();
}

void ReplyWriter::AppendReference(std::string_view bytes,
                                  const std::shared_ptr<const void>& owner) {
  CloseChunk();
  pieces_.push_back({bytes.data(), bytes.size(), &Release, new std::shared_ptr<const void>(owner)});
  closed_bytes_ += bytes.size();
}

void ReplyWriter::AppendMessage(const google::protobuf::MessageLite& message) {
  const size_t bytes = message.ByteSizeLong();
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(Append(bytes)));
}

std::vector<Piece> ReplyWriter::Take() {
  CloseChunk();
  closed_bytes_ = counted_bytes_ = 0;
  return std::exchange(pieces_, {});
}

void ReplyWriter::Clear() {
  for (const Piece& piece : pieces_) piece.release(piece.owner);
  pieces_.clear();
  closed_bytes_ = counted_bytes_ = 0;
  next_ = begin_;
}

void ReplyWriter::Swap(ReplyWriter* other) {
  CloseChunk();
  other->CloseChunk();
  std::swap(pieces_, other->pieces_);
  std::swap(closed_bytes_, other->closed_bytes_);
  std::swap(counted_bytes_, other->counted_bytes_);
}

void ReplyWriter::Grow(size_t bytes) {
  CloseChunk();
  std::free(begin_);  // it was empty, but too small
  const size_t chunk_bytes = std::max(bytes, pieces_.empty() ? kFirstChunkBytes : kChunkBytes);
  begin_ = next_ = static_cast<char*>(std::malloc(chunk_bytes));
  if (begin_ == nullptr) throw std::bad_alloc();
  end_ = begin_ + chunk_bytes;
}

void ReplyWriter::CloseChunk() {
  if (next_ == begin_) return;
  const size_t used = static_cast<size_t>(next_ - begin_);
  // A reply may wait for its client for long, and is counted as what it says: so nothing is kept
  // beside that.
  char* piece = nullptr;
  if (used <= kMostCopiedBytes) {
    piece = static_cast<char*>(std::malloc(used));
    if (piece == nullptr) throw std::bad_alloc();
    std::memcpy(piece, begin_, used);
    next_ = begin_;
  } else {
    piece = static_cast<char*>(std::realloc(begin_, used));
    if (piece == nullptr) piece = begin_;
    begin_ = next_ = end_ = nullptr;
  }
  pieces_.push_back({piece, used, &std::free, piece});
  closed_bytes_ += used;
}

std::string TakeBytes(ReplyWriter* writer) {
  std::string bytes;
  for (const Piece& piece : writer->Take()) {
    bytes.append(piece.data, piece.size);
    piece.release(piece.owner);
  }
  return bytes;
}

}  // namespace ferrite
