// Key sets in any text: what is read can be asked for signatures, and no two keys share a name.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "server/auth/signing_keys.h"
#include "server/auth/token_keys.h"

namespace ferrite {
namespace {

void Try(std::string_view text) {
  const absl::StatusOr<KeySet> set = ReadSigningKeys(text, "keys");
  if (set.ok()) {
    FERRITE_CHECK(!set->keys.empty());
    std::set<std::pair<SigningAlgorithm, std::string>> names;
    for (const SigningKey& key : set->keys) {
      FERRITE_CHECK(key.id().empty() || names.emplace(key.algorithm(), key.id()).second);
      FERRITE_CHECK(!key.HasSigned("text", std::string(64, '\1')));
      FERRITE_CHECK(!key.HasSigned("text", ""));
    }
  }
  const absl::StatusOr<TokenKeys> keys = ReadTokenKeys(text, "keys");
  if (!keys.ok()) return;
  FERRITE_CHECK(keys->accepted.size() <= kMostTokenKeys);
  const std::string signature = keys->signer.Sign("text");
  bool accepted = false;
  for (const SigningKey& key : keys->accepted) accepted |= key.HasSigned("text", signature);
  FERRITE_CHECK(accepted);
}

}  // namespace
}  // namespace ferrite

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ferrite::Try(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
