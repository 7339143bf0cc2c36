// Resume tokens in any bytes: what is read has as many places as it has room for, and writes itself
// as it was.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/events/composite_token.h"

namespace ferrite {
namespace {

void Try(std::string_view bytes) {
  const std::optional<std::vector<ResumeToken>> places = PlacesIn(bytes);
  if (const std::optional<ResumeToken> token = ResumeToken::Read(bytes); token.has_value()) {
    std::string written(ResumeToken::kBytes, '\0');
    token->Write(written.data());
    FERRITE_CHECK(written == bytes && places.has_value() && places->size() == 1);
    return;
  }
  std::optional<CompositeToken> token = CompositeToken::Read(bytes);
  FERRITE_CHECK(token.has_value() == places.has_value());
  if (!token.has_value()) return;
  FERRITE_CHECK(token->bytes() == bytes && token->size() == places->size());
  FERRITE_CHECK(token->size() <= CompositeToken::kMaxPlaces);
  CompositeToken copy;
  copy.SetGeneration(token->generation());
  copy.SetSequence(token->sequence());
  for (size_t i = 0; i < token->size(); ++i) copy.AddPlace(token->place(i));
  FERRITE_CHECK(copy.bytes() == bytes);
}

}  // namespace
}  // namespace ferrite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferrite::Try(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
