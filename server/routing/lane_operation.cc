#include "server/routing/lane_operation.h"

#include "ferrite/v1/cache.pb.h"

namespace ferrite {
namespace {

constexpr int kKeyOfAny = v1::GetRequest::kKeyFieldNumber;  // as in all requests about one key

}  // namespace

size_t LaneOperation::Size(const OperationTerms& terms) const {
  if (field == 0) return body.size() + terms.Size();
  const size_t request = body_is_key ? BytesFieldSize(kKeyOfAny, body) : body.size();
  return BytesFieldSize(field, request) + terms.Size();
}

void LaneOperation::Write(const OperationTerms& terms, FieldWriter* writer) const {
  if (field == 0) {
    writer->Content(body);
  } else if (body_is_key) {
    writer->Head(field, BytesFieldSize(kKeyOfAny, body));
    writer->Bytes(kKeyOfAny, body);
  } else {
    writer->Bytes(field, body);
  }
  terms.Write(writer);
}

void LaneParcel::End(absl::Status why) {
  done = true;
  status = std::move(why);
  of->EndOne();
}

void LaneParcel::End(std::shared_ptr<const Request> in_reply) {
  done = true;
  reply = std::move(in_reply);
  of->EndOne();
}

LaneParcel* ForwardedOperations::Begin(uint32_t round) {
  LaneParcel& parcel = parcels_.emplace_back();
  parcel.round = round;
  parcel.of = this;
  ++under_way_;
  return &parcel;
}

LaneParcel* ForwardedOperations::Begin(std::string message,
                                       LaneOperation::Clock::time_point deadline) {
  LaneParcel* const parcel = Begin();
  parcel->message = std::move(message);
  parcel->Add({.body = parcel->message, .deadline = deadline});
  return parcel;
}

void ForwardedOperations::Again(LaneParcel* parcel) {
  parcel->done = false;
  ++parcel->round;
  parcel->status = absl::OkStatus();
  parcel->reply.reset();
  ++under_way_;
}

void ForwardedOperations::EndOne() {
  if (--under_way_ == 0) waker_.Wake();
}

}  // namespace ferrite
