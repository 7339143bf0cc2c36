#pragma once

// A YAML document, and so a JSON one as well, as a series of events: for readers that want each
// part at its place, know where it stands, and need no tree of what may be a hundred thousand
// entries.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ferrite::policy {

struct YamlEvent {
  enum class Kind { kScalar, kListBegin, kListEnd, kMapBegin, kMapEnd, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;     // of a scalar
  bool quoted = false;  // so it is a string, whatever it looks like
  size_t line = 0;      // from 1
};

// Not thread-safe.
class YamlEvents {
 public:
  // `text` must stay in place. `name` is what complaints call it.
  YamlEvents(std::string_view text, std::string name);
  ~YamlEvents();
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;

  // Moves to the next event: kEnd after the document. INVALID_ARGUMENT with name, line and reason
  // for what is no YAML, several documents, anchors, aliases and tags.
  absl::Status Next();
  const YamlEvent& event() const { return event_; }

  // INVALID_ARGUMENT with the name, that line, and the reason.
  absl::Status Complain(size_t line, std::string_view reason) const;

 private:
  struct Parser;

  const std::string name_;
  std::unique_ptr<Parser> parser_;
  YamlEvent event_;
  bool had_document_ = false;
};

}  // namespace ferrite::policy
