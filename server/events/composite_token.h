#pragma once

// A place in a stream that comes from several nodes, as its clients hold it: a place in the log of
// each node, which knows its own by the process. Any node can continue from it.
//
//   a byte that says what follows, generation, sequence: 8 bytes each, then 16 for each node
//
// No such token is as long as one of a single node (ResumeToken).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/events/resume_token.h"

namespace ferrite {

// Not thread-safe.
class CompositeToken {
 public:
  // As many nodes as one stream may come from: each event has a token.
  static constexpr size_t kMaxPlaces = 256;

  CompositeToken();
  // Absent if it is none.
  static std::optional<CompositeToken> Read(std::string_view bytes);

  const std::string& bytes() const { return bytes_; }

  // Up to which generation of the cluster's map the stream has told of changes of owners.
  uint64_t generation() const;
  void SetGeneration(uint64_t generation);
  // Of the last event.
  uint64_t sequence() const;
  void SetSequence(uint64_t sequence);

  size_t size() const;
  ResumeToken place(size_t index) const;
  void SetPlace(size_t index, const ResumeToken& place);
  void AddPlace(const ResumeToken& place);
  void ForgetPlaces();

 private:
  std::string bytes_;
};

// The places in a token of either kind. Absent if it is none.
std::optional<std::vector<ResumeToken>> PlacesIn(std::string_view token);

}  // namespace ferrite
