#include "client/cli/bench/frame_reply.h"

#include <algorithm>
#include <vector>

#include "grpcpp/support/slice.h"

namespace ferrite::cli {
namespace {

// Tags of cache.proto: field number << 3 | wire type (0 integer, 2 bytes).
constexpr uint8_t kResults = 1 << 3 | 2;  // of PipelineResponse
constexpr uint8_t kGetOutcome = 1 << 3 | 2;
constexpr uint8_t kSetOutcome = 2 << 3 | 2;
constexpr uint8_t kIncrOutcome = 5 << 3 | 2;
constexpr uint8_t kErrorOutcome = 15 << 3 | 2;
constexpr uint8_t kFound = 1 << 3 | 0;  // of GetResponse
constexpr uint8_t kCode = 1 << 3 | 0;   // of OperationError

// Reads from the pieces in which gRPC received a message, without putting them together.
class PieceReader {
 public:
  explicit PieceReader(const grpc::ByteBuffer& message) {
    if (message.Valid() && message.Dump(&pieces_).ok()) Enter(0);
  }

  bool at_end() {
    while (next_ == end_ && piece_ + 1 < pieces_.size()) Enter(piece_ + 1);
    return next_ == end_;
  }
  bool Byte(uint8_t* byte) {
    if (at_end()) return false;
    *byte = *next_++;
    return true;
  }
  bool Varint(uint64_t* value) {
    *value = 0;
    uint8_t byte;
    for (int shift = 0; shift < 64 && Byte(&byte); shift += 7) {
      *value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Skip(uint64_t bytes) {
    while (bytes > 0 && !at_end()) {
      const uint64_t step = std::min<uint64_t>(bytes, end_ - next_);
      next_ += step;
      bytes -= step;
    }
    return bytes == 0;
  }

 private:
  void Enter(size_t piece) {
    piece_ = piece;
    if (piece >= pieces_.size()) return;
    next_ = pieces_[piece].begin();
    end_ = pieces_[piece].end();
  }

  std::vector<grpc::Slice> pieces_;
  size_t piece_ = 0;
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
};

uint8_t OutcomeOf(Workload::Kind kind) {
  if (kind == Workload::Kind::kSet) return kSetOutcome;
  if (kind == Workload::Kind::kIncr) return kIncrOutcome;
  return kGetOutcome;
}

// Reads one outcome. Relies on fields coming in the order of their numbers, as every writer of
// protobuf has them.
bool CountOutcome(PieceReader* reply, Workload::Kind kind, OutcomeCounts* counts) {
  uint8_t tag;
  uint64_t size;
  if (!reply->Byte(&tag) || tag != kResults || !reply->Varint(&size)) return false;
  if (!reply->Byte(&tag) || !reply->Varint(&size)) return false;
  if (tag == kErrorOutcome) {
    uint64_t code;
    if (size < 2 || !reply->Byte(&tag) || tag != kCode || !reply->Varint(&code)) return false;
    // One byte: a status code.
    if (code >= kStatusCodes) return false;
    ++counts->errors[code];
    return reply->Skip(size - 2);
  }
  if (tag != OutcomeOf(kind)) return false;
  ++counts->done;
  if (kind != Workload::Kind::kGet || size == 0) return reply->Skip(size);
  if (!reply->Byte(&tag)) return false;
  counts->hits += tag == kFound;  // false is not written
  return reply->Skip(size - 1);
}

}  // namespace

std::optional<FrameCounts> CountReply(const grpc::ByteBuffer& reply,
                                      std::span<const Workload::Kind> kinds) {
  FrameCounts counts;
  PieceReader reader(reply);
  for (const Workload::Kind kind : kinds) {
    OutcomeCounts* const of = kind == Workload::Kind::kGet ? &counts.reads : &counts.writes;
    if (!CountOutcome(&reader, kind, of)) return std::nullopt;
  }
  if (!reader.at_end()) return std::nullopt;
  return counts;
}

}  // namespace ferrite::cli
