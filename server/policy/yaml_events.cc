#include "server/policy/yaml_events.h"

#include <yaml.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace ferrite::policy {

struct YamlEvents::Parser {
  yaml_parser_t parser;
};

namespace {

// Deletes an event when its content has been copied.
class RawEvent {
 public:
  RawEvent() = default;
  ~RawEvent() {
    if (there_) yaml_event_delete(&event_);
  }
  RawEvent(const RawEvent&) = delete;
  RawEvent& operator=(const RawEvent&) = delete;

  bool Parse(yaml_parser_t* parser) { return there_ = yaml_parser_parse(parser, &event_) != 0; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
  bool there_ = false;
};

// Whether an event has an anchor or a tag, which policies have no use for.
bool IsDecorated(const RawEvent& event) {
  switch (event->type) {
    case YAML_SCALAR_EVENT:
      return event->data.scalar.anchor != nullptr || event->data.scalar.tag != nullptr;
    case YAML_SEQUENCE_START_EVENT:
      return event->data.sequence_start.anchor != nullptr ||
             event->data.sequence_start.tag != nullptr;
    case YAML_MAPPING_START_EVENT:
      return event->data.mapping_start.anchor != nullptr ||
             event->data.mapping_start.tag != nullptr;
    default:
      return event->type == YAML_ALIAS_EVENT;
  }
}

}  // namespace

YamlEvents::YamlEvents(std::string_view text, std::string name)
    : name_(std::move(name)), parser_(std::make_unique<Parser>()) {
  FERRITE_CHECK(yaml_parser_initialize(&parser_->parser) != 0);
  // libyaml ends the program where there is no address, as of an empty text there may be none.
  if (text.data() == nullptr) text = "";
  yaml_parser_set_input_string(&parser_->parser,
                               reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

YamlEvents::~YamlEvents() { yaml_parser_delete(&parser_->parser); }

absl::Status YamlEvents::Complain(size_t line, std::string_view reason) const {
  return absl::InvalidArgumentError(absl::StrCat(name_, ":", line, ": ", std::string(reason)));
}

absl::Status YamlEvents::Next() {
  while (true) {
    RawEvent raw;
    yaml_parser_t& parser = parser_->parser;
    if (!raw.Parse(&parser)) {
      const char* const problem = parser.problem == nullptr ? "it cannot be read" : parser.problem;
      return Complain(parser.problem_mark.line + 1, absl::StrCat("this is no YAML: ", problem));
    }
    event_.line = raw->start_mark.line + 1;
    event_.text.clear();
    event_.quoted = false;
    if (IsDecorated(raw)) {
      return Complain(event_.line, "anchors, aliases and tags are not allowed: write it out");
    }
    switch (raw->type) {
      case YAML_SCALAR_EVENT:
        event_.kind = YamlEvent::Kind::kScalar;
        event_.text.assign(reinterpret_cast<const char*>(raw->data.scalar.value),
                           raw->data.scalar.length);
        event_.quoted = raw->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return absl::OkStatus();
      case YAML_SEQUENCE_START_EVENT:
        event_.kind = YamlEvent::Kind::kListBegin;
        return absl::OkStatus();
      case YAML_SEQUENCE_END_EVENT:
        event_.kind = YamlEvent::Kind::kListEnd;
        return absl::OkStatus();
      case YAML_MAPPING_START_EVENT:
        event_.kind = YamlEvent::Kind::kMapBegin;
        return absl::OkStatus();
      case YAML_MAPPING_END_EVENT:
        event_.kind = YamlEvent::Kind::kMapEnd;
        return absl::OkStatus();
      case YAML_DOCUMENT_START_EVENT:
        if (std::exchange(had_document_, true)) {
          return Complain(event_.line, "a second document begins; there may be one");
        }
        break;
      case YAML_STREAM_END_EVENT:
      case YAML_NO_EVENT:
        event_.kind = YamlEvent::Kind::kEnd;
        return absl::OkStatus();
      default:
        break;
    }
  }
}

}  // namespace ferrite::policy
