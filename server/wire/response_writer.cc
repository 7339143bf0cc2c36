#include "server/wire/response_writer.h"

#include <cstring>

#include "google/protobuf/io/coded_stream.h"

namespace ferrite {
namespace {

using google::protobuf::io::CodedOutputStream;

enum WireType : uint32_t { kVarint = 0, kBytes = 2 };

constexpr uint8_t Tag(uint32_t field, WireType type) {
  return static_cast<uint8_t>(field << 3 | type);  // one byte: all our fields are below 16
}

size_t VarintBytes(uint64_t value) { return CodedOutputStream::VarintSize64(value); }

// Writes at a position that moves on.
class Cursor {
 public:
  explicit Cursor(char* at) : at_(reinterpret_cast<uint8_t*>(at)) {}

  void Head(uint32_t field, size_t size) {
    *at_++ = Tag(field, kBytes);
    Varint(size);
  }
  void Integer(uint32_t field, uint64_t value) {
    *at_++ = Tag(field, kVarint);
    Varint(value);
  }
  void Bytes(std::string_view bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  uint8_t* at() const { return at_; }

 private:
  void Varint(uint64_t value) { at_ = CodedOutputStream::WriteVarint64ToArray(value, at_); }

  uint8_t* at_;
};

// What stands before a message of `size` bytes.
size_t HeadBytes(const Nesting& nesting, size_t size) {
  size_t bytes = 0;
  for (int i = 0; i < nesting.depth; ++i) bytes += 1 + VarintBytes(size + bytes);
  return bytes;
}
void WriteHeads(const Nesting& nesting, size_t size, Cursor* cursor) {
  if (nesting.depth == 2) cursor->Head(nesting.fields[0], size + 1 + VarintBytes(size));
  if (nesting.depth >= 1) cursor->Head(nesting.fields[nesting.depth - 1], size);
}

// The fields of a GetResponse before and after the value's bytes.
struct ReadSizes {
  explicit ReadSizes(const ReadResult& result) {
    if (!result.found) return;
    value = result.value.view().size();
    before = 2 + (value == 0 ? 0 : 1 + VarintBytes(value));
    after = 1 + VarintBytes(result.version) + (result.not_modified ? 2 : 0);
    if (result.ttl_ms.has_value()) after += 1 + VarintBytes(static_cast<uint64_t>(*result.ttl_ms));
  }
  size_t message() const { return before + value + after; }

  size_t before = 0;
  size_t value = 0;
  size_t after = 0;
};

}  // namespace

size_t ReadBytes(const Nesting& nesting, const ReadResult& result) {
  const size_t message = ReadSizes(result).message();
  return HeadBytes(nesting, message) + message;
}

void WriteRead(const Nesting& nesting, const ReadResult& result, ReplyWriter* reply) {
  const ReadSizes sizes(result);
  const size_t heads = HeadBytes(nesting, sizes.message());
  const bool apart = sizes.value >= kMinSharedBytes;
  Cursor cursor(reply->Append(heads + (apart ? sizes.before : sizes.message())));
  WriteHeads(nesting, sizes.message(), &cursor);
  if (!result.found) return;
  cursor.Integer(1, 1);  // found
  if (sizes.value != 0) cursor.Head(2, sizes.value);
  if (apart) {
    reply->AppendValue(result.value);
    cursor = Cursor(reply->Append(sizes.after));
  } else {
    cursor.Bytes(result.value.view());
  }
  cursor.Integer(3, result.version);
  if (result.ttl_ms.has_value()) cursor.Integer(4, static_cast<uint64_t>(*result.ttl_ms));
  if (result.not_modified) cursor.Integer(5, 1);
}

void WriteNumbers(const Nesting& nesting, uint64_t first, uint64_t second, ReplyWriter* reply) {
  const size_t size =
      (first == 0 ? 0 : 1 + VarintBytes(first)) + (second == 0 ? 0 : 1 + VarintBytes(second));
  Cursor cursor(reply->Append(HeadBytes(nesting, size) + size));
  WriteHeads(nesting, size, &cursor);
  if (first != 0) cursor.Integer(1, first);
  if (second != 0) cursor.Integer(2, second);
}

void WriteMessage(const Nesting& nesting, const google::protobuf::MessageLite& message,
                  ReplyWriter* reply) {
  const size_t size = message.ByteSizeLong();
  Cursor cursor(reply->Append(HeadBytes(nesting, size) + size));
  WriteHeads(nesting, size, &cursor);
  message.SerializeWithCachedSizesToArray(cursor.at());
}

}  // namespace ferrite
