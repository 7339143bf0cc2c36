#pragma once

// The operations of a frame (ferrite.v1.PipelineRequest) as bytes: a server reads them as far as
// it has to without making messages of them, clients write them without making any.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_writer.h"

namespace ferrite {

// Stands for an operation that has no time of its own.
inline constexpr uint32_t kNoTimeout = UINT32_MAX;

// An operation. All but `kind`, `timeout_ms` and `ttl_ms` points into the frame.
struct FrameOperation {
  enum class Kind : uint8_t {
    kGet,      // of `key`, nothing else asked
    kSet,      // of `key` to `value`, perhaps with a time to live
    kDelete,   // of `key`, unconditional
    kPublish,  // of `value` to the channel `key`
    kOther,    // anything else, which may also be invalid: see `message`
  };
  Kind kind = Kind::kOther;
  // How long its caller waits; 0: no longer. Not read if kOther.
  uint32_t timeout_ms = kNoTimeout;
  int64_t ttl_ms = 0;  // 0: none
  // If kOther, only a hint at the memory that will be needed. When read, always 1 to
  // OperationLimits::key_bytes long.
  std::string_view key;
  std::string_view value;
  // The whole serialized Operation. Set when read.
  std::string_view message;
};

// What an operation must not exceed to be of a simple kind.
struct OperationLimits {
  size_t key_bytes;
  size_t value_bytes;
  int64_t ttl_ms;
};

// Reads a serialized Operation. Whatever is not simple, exceeds a limit or is malformed is kOther.
FrameOperation ParseOperation(std::string_view message, const OperationLimits& limits);

// Replaces `*operations` by those of a serialized PipelineRequest, but no more than `count` + 1.
// False if it is malformed as far as it was read.
bool ParseFrame(std::string_view frame, size_t count, const OperationLimits& limits,
                std::vector<FrameOperation>* operations);

// The field of Operation, and of OperationResult, that stands for a simple kind.
constexpr int FieldOf(FrameOperation::Kind kind) {
  switch (kind) {
    case FrameOperation::Kind::kGet:
      return v1::Operation::kGetFieldNumber;
    case FrameOperation::Kind::kSet:
      return v1::Operation::kSetFieldNumber;
    case FrameOperation::Kind::kDelete:
      return v1::Operation::kDeleteFieldNumber;
    case FrameOperation::Kind::kPublish:
      return v1::Operation::kPublishFieldNumber;
    case FrameOperation::Kind::kOther:
      break;
  }
  return 0;
}

// The request of an operation of a simple kind: a GetRequest, SetRequest, DeleteRequest or
// PublishRequest. A key or value that is empty is left out.
size_t RequestSize(const FrameOperation& operation);
void WriteRequest(const FrameOperation& operation, FieldWriter* writer);

// What an operation says beside its request, which stands before it.
struct OperationTerms {
  uint32_t timeout_ms = kNoTimeout;
  std::string_view traceparent;    // empty: none
  std::string_view request_scope;  // the same

  size_t Size() const {
    size_t size = 0;
    if (timeout_ms != kNoTimeout) {
      size += IntegerFieldSize(v1::Operation::kTimeoutMsFieldNumber, timeout_ms);
    }
    if (!traceparent.empty()) {
      size += BytesFieldSize(v1::Operation::kTraceparentFieldNumber, traceparent);
    }
    if (!request_scope.empty()) {
      size += BytesFieldSize(v1::Operation::kRequestScopeFieldNumber, request_scope);
    }
    return size;
  }
  void Write(FieldWriter* writer) const {
    if (timeout_ms != kNoTimeout) {
      writer->Integer(v1::Operation::kTimeoutMsFieldNumber, timeout_ms);
    }
    if (!traceparent.empty()) {
      writer->Bytes(v1::Operation::kTraceparentFieldNumber, traceparent);
    }
    if (!request_scope.empty()) {
      writer->Bytes(v1::Operation::kRequestScopeFieldNumber, request_scope);
    }
  }
};

// An operation in a frame, of which one such field after another is a PipelineRequest. `field` is
// that of Operation, of which the request has `request_size` bytes and the terms `terms_size`.
constexpr size_t OperationInFrameSize(int field, size_t request_size, size_t terms_size = 0) {
  return BytesFieldSize(v1::PipelineRequest::kOperationsFieldNumber,
                        BytesFieldSize(field, request_size) + terms_size);
}
// Writes what stands before the request.
inline void WriteOperationHeads(int field, size_t request_size, size_t terms_size,
                                FieldWriter* writer) {
  writer->Head(v1::PipelineRequest::kOperationsFieldNumber,
               BytesFieldSize(field, request_size) + terms_size);
  writer->Head(field, request_size);
}

// The size and the bytes of an operation of a simple kind, with its request.
inline size_t OperationInFrameSize(const FrameOperation& operation) {
  return OperationInFrameSize(FieldOf(operation.kind), RequestSize(operation),
                              OperationTerms{operation.timeout_ms}.Size());
}
inline void WriteOperationInFrame(const FrameOperation& operation, FieldWriter* writer) {
  const OperationTerms terms{operation.timeout_ms};
  WriteOperationHeads(FieldOf(operation.kind), RequestSize(operation), terms.Size(), writer);
  WriteRequest(operation, writer);
  terms.Write(writer);
}

}  // namespace ferrite
