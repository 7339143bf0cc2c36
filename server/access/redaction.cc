#include "server/access/redaction.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ferrite/v1/admin.pb.h"
#include "ferrite/v1/cache.pb.h"
#include "server/auth/sha256.h"

namespace ferrite {
namespace {

// Says that it is no name, should somebody take it for one.
std::string InPlaceOf(const std::string& name) {
  return name.empty() ? name : absl::StrCat("sha256:", ShownHash(name));
}

void RedactMessage(v1::ScanResponse* page) {
  for (v1::ScanEntry& entry : *page->mutable_entries()) {
    entry.set_key(InPlaceOf(entry.key()));
    entry.clear_value();
  }
}

void RedactMessage(v1::SubscribeResponse* events) {
  for (v1::SubscriptionEvent& event : *events->mutable_events()) {
    if (event.has_message()) {
      event.mutable_message()->set_channel(InPlaceOf(event.message().channel()));
      event.mutable_message()->clear_payload();
    }
    if (event.has_key_event()) {
      event.mutable_key_event()->set_key(InPlaceOf(event.key_event().key()));
      event.mutable_key_event()->clear_value();
    }
  }
}

void RedactMessage(v1::SlowLogResponse* log) {
  for (v1::SlowCall& call : *log->mutable_calls()) call.set_key(InPlaceOf(call.key()));
}

template <typename Message>
bool RedactAs(ReplyWriter* reply) {
  Message message;
  if (!message.ParseFromString(TakeBytes(reply))) return false;
  RedactMessage(&message);
  reply->AppendMessage(message);
  return true;
}

}  // namespace

bool Redact(Method method, ReplyWriter* message) {
  switch (method) {
    case Method::kScan:
      return RedactAs<v1::ScanResponse>(message);
    case Method::kSubscribe:
      return RedactAs<v1::SubscribeResponse>(message);
    case Method::kSlowLog:
      return RedactAs<v1::SlowLogResponse>(message);
    default:
      return true;
  }
}

}  // namespace ferrite
