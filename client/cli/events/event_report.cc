#include "client/cli/events/event_report.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/beginning.h"
#include "base/byte_amount.h"
#include "client/cli/bytes.h"
#include "client/cli/entry_json.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

using Event = v1::SubscriptionEvent;

constexpr size_t kShownValueBytes = 60;

constexpr char kPlain[] = "\x1b[0m";
constexpr char kDim[] = "\x1b[2m";
constexpr char kAlarm[] = "\x1b[1;97;41m";

const char* ColorOf(v1::KeyEventKind kind) {
  switch (kind) {
    case v1::KEY_EVENT_KIND_SET:
      return "\x1b[32m";
    case v1::KEY_EVENT_KIND_INCR:
      return "\x1b[36m";
    case v1::KEY_EVENT_KIND_DELETE:
      return "\x1b[31m";
    case v1::KEY_EVENT_KIND_EXPIRE:
      return "\x1b[33m";
    case v1::KEY_EVENT_KIND_EVICT:
      return "\x1b[35m";
    default:
      return "";
  }
}

std::string Colored(const std::string& text, const char* color, bool colored) {
  return colored ? absl::StrCat(color, text, kPlain) : text;
}

std::string_view ReasonText(v1::DiscontinuityReason reason) {
  switch (reason) {
    case v1::DISCONTINUITY_REASON_OTHER_SERVER:
      return "the server was started anew, or is another one";
    case v1::DISCONTINUITY_REASON_HISTORY_EXCEEDED:
      return "the server's history does not reach back so far";
    case v1::DISCONTINUITY_REASON_NOT_RECORDED:
      return "nobody followed, so they were not recorded";
    case v1::DISCONTINUITY_REASON_SLOW_CONSUMER:
      return "they were not read fast enough";
    case v1::DISCONTINUITY_REASON_NODE_LOST:
      return "a node that has some of it cannot be followed at the moment";
    case v1::DISCONTINUITY_REASON_OWNER_CHANGED:
      return "some of it has changed its node, or is followed again";
    default:
      return "the server does not say why";
  }
}

std::string Shortened(const std::string& value) {
  if (value.size() <= kShownValueBytes) return DisplayText(value);
  return absl::StrCat(DisplayText(Beginning(value, kShownValueBytes)), "... (",
                      RoundedBytes(static_cast<double>(value.size())), ")");
}

std::string KeyEventText(const v1::KeyEvent& event, bool colored) {
  const std::string kind(KindName(event.kind()));
  std::string text =
      absl::StrCat(Colored(absl::StrFormat("%-6s", kind), ColorOf(event.kind()), colored), "  ",
                   DisplayText(event.key()), "  ",
                   Colored(absl::StrCat("version ", event.version()), kDim, colored));
  if (event.has_value()) absl::StrAppend(&text, "  ", Shortened(event.value()));
  return text;
}

}  // namespace

std::string_view KindName(v1::KeyEventKind kind) {
  switch (kind) {
    case v1::KEY_EVENT_KIND_SET:
      return "set";
    case v1::KEY_EVENT_KIND_DELETE:
      return "delete";
    case v1::KEY_EVENT_KIND_INCR:
      return "incr";
    case v1::KEY_EVENT_KIND_EXPIRE:
      return "expire";
    case v1::KEY_EVENT_KIND_EVICT:
      return "evict";
    default:
      return "other";
  }
}

std::string EventRow(const Event& event, absl::Time time, bool colored) {
  std::string text;
  switch (event.event_case()) {
    case Event::kMessage:
      text = absl::StrCat(DisplayText(event.message().channel()), "  ",
                          DisplayText(event.message().payload()));
      break;
    case Event::kKeyEvent:
      text = KeyEventText(event.key_event(), colored);
      break;
    case Event::kDiscontinuity: {
      const std::string_view reason = ReasonText(event.discontinuity().reason());
      text = Colored(absl::StrCat("*** EVENTS MAY BE MISSING HERE: ", std::string(reason), " ***"),
                     kAlarm, colored);
      break;
    }
    default:
      return "";
  }
  if (event.coalesced() > 0) absl::StrAppend(&text, "  (and ", event.coalesced(), " before it)");
  const std::string clock = absl::FormatTime("%H:%M:%E3S", time, absl::LocalTimeZone());
  return absl::StrCat(Colored(clock, kDim, colored), "  ", text);
}

nlohmann::ordered_json EventJson(const Event& event) {
  nlohmann::ordered_json json = {{"event", "unknown"},
                                 {"sequence", event.sequence()},
                                 {"resume_token", absl::Base64Escape(event.resume_token())}};
  switch (event.event_case()) {
    case Event::kAcknowledgement:
      json["event"] = "acknowledgement";
      json["resumed"] = event.acknowledgement().resumed();
      break;
    case Event::kMessage:
      json["event"] = "message";
      json["channel"] = JsonBytes(event.message().channel());
      json["payload"] = JsonBytes(event.message().payload());
      break;
    case Event::kKeyEvent:
      json["event"] = std::string(KindName(event.key_event().kind()));
      json["key"] = JsonBytes(event.key_event().key());
      json["version"] = event.key_event().version();
      if (event.key_event().has_value()) json["value"] = JsonBytes(event.key_event().value());
      break;
    case Event::kDiscontinuity:
      json["event"] = "discontinuity";
      json["reason"] = std::string(absl::StripPrefix(
          v1::DiscontinuityReason_Name(event.discontinuity().reason()), "DISCONTINUITY_REASON_"));
      json["after_sequence"] = event.discontinuity().after_sequence();
      break;
    case Event::kHeartbeat:
      json["event"] = "heartbeat";
      break;
    case Event::EVENT_NOT_SET:
      break;
  }
  if (event.coalesced() > 0) json["coalesced"] = event.coalesced();
  return json;
}

}  // namespace ferrite::cli
