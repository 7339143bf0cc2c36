#include "server/events/composite_token.h"

#include <cstring>

#include "base/check.h"

namespace ferrite {
namespace {

// It changes with the meaning of what follows.
constexpr char kKind = '\x01';
constexpr size_t kGenerationAt = 1;
constexpr size_t kSequenceAt = kGenerationAt + sizeof(uint64_t);
constexpr size_t kPlacesAt = kSequenceAt + sizeof(uint64_t);

static_assert(kPlacesAt % ResumeToken::kBytes != 0, "tokens are told apart by their size");

uint64_t NumberAt(const std::string& bytes, size_t at) {
  uint64_t number;
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

void SetNumberAt(size_t at, uint64_t number, std::string* bytes) {
  std::memcpy(bytes->data() + at, &number, sizeof(number));
}

}  // namespace

CompositeToken::CompositeToken() : bytes_(kPlacesAt, '\0') { bytes_[0] = kKind; }

std::optional<CompositeToken> CompositeToken::Read(std::string_view bytes) {
  if (bytes.size() < kPlacesAt || bytes[0] != kKind) return std::nullopt;
  const size_t places = bytes.size() - kPlacesAt;
  if (places % ResumeToken::kBytes != 0 || places / ResumeToken::kBytes > kMaxPlaces) {
    return std::nullopt;
  }
  CompositeToken token;
  token.bytes_ = std::string(bytes);
  return token;
}

uint64_t CompositeToken::generation() const { return NumberAt(bytes_, kGenerationAt); }
void CompositeToken::SetGeneration(uint64_t generation) {
  SetNumberAt(kGenerationAt, generation, &bytes_);
}

uint64_t CompositeToken::sequence() const { return NumberAt(bytes_, kSequenceAt); }
void CompositeToken::SetSequence(uint64_t sequence) { SetNumberAt(kSequenceAt, sequence, &bytes_); }

size_t CompositeToken::size() const { return (bytes_.size() - kPlacesAt) / ResumeToken::kBytes; }

ResumeToken CompositeToken::place(size_t index) const {
  FERRITE_CHECK(index < size());
  return *ResumeToken::Read(std::string_view(bytes_).substr(kPlacesAt + index * ResumeToken::kBytes,
                                                            ResumeToken::kBytes));
}

void CompositeToken::SetPlace(size_t index, const ResumeToken& place) {
  FERRITE_CHECK(index < size());
  place.Write(bytes_.data() + kPlacesAt + index * ResumeToken::kBytes);
}

void CompositeToken::AddPlace(const ResumeToken& place) {
  FERRITE_CHECK(size() < kMaxPlaces);
  bytes_.resize(bytes_.size() + ResumeToken::kBytes);
  SetPlace(size() - 1, place);
}

void CompositeToken::ForgetPlaces() { bytes_.resize(kPlacesAt); }

std::optional<std::vector<ResumeToken>> PlacesIn(std::string_view token) {
  if (const auto single = ResumeToken::Read(token); single.has_value()) return {{*single}};
  const auto composite = CompositeToken::Read(token);
  if (!composite.has_value()) return std::nullopt;
  std::vector<ResumeToken> places;
  for (size_t i = 0; i < composite->size(); ++i) places.push_back(composite->place(i));
  return places;
}

}  // namespace ferrite
