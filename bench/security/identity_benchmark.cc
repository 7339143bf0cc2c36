// What it costs to find out who calls: a caller without a credential, with a static token, and with
// a JSON Web Token, when it comes first and when it is known.

#include <openssl/evp.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/auth/loaded_policy.h"
#include "server/auth/sha256.h"
#include "server/policy/policy_reader.h"

namespace ferrite {
namespace {

// CPU time of the process: others may be using the machine.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class CallerWith final : public Caller {
 public:
  explicit CallerWith(std::string token)
      : authorization_(token.empty() ? "" : "Bearer " + std::move(token)) {}
  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  std::string peer() const override { return "bench"; }
  std::optional<std::string_view> Metadata(std::string_view name) const override {
    if (name != "authorization" || authorization_.empty()) return std::nullopt;
    return authorization_;
  }

 private:
  const std::string authorization_;
};

std::string Encoded(const std::string& bytes) {
  return absl::StrReplaceAll(absl::Base64Escape(bytes), {{"+", "-"}, {"/", "_"}, {"=", ""}});
}

// A key pair of an issuer, and tokens that are as large as Kubernetes makes them.
class Issuer {
 public:
  Issuer() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free) {}

  std::string KeySet() const {
    std::string raw(32, '\0');
    size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    return absl::StrCat(R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": ")",
                        Encoded(raw), R"("}]})");
  }

  std::string Token() const {
    const std::string padding(500, 'p');
    const std::string text =
        absl::StrCat(Encoded(R"({"alg": "EdDSA", "kid": "k"})"), ".",
                     Encoded(absl::StrCat(R"({"iss": "i", "aud": "a", "sub": "s", "x": ")", padding,
                                          R"(", "exp": )", std::time(nullptr) + 3600, "}")));
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free);
    std::string signature(64, '\0');
    size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return absl::StrCat(text, ".", Encoded(signature));
  }

 private:
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

std::string Hex(const policy::Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// Each principal must be found, or the time means nothing: then it is negative.
double NsPerCall(const LoadedPolicy& loaded, const CallerWith& caller, std::string_view principal,
                 double seconds) {
  uint64_t calls = 0;
  const double begin = CpuSeconds();
  double end = begin;
  do {
    for (int i = 0; i < 1000; ++i, ++calls) {
      if (loaded.Identify(caller).principal != principal) return -1;
    }
    end = CpuSeconds();
  } while (end - begin < seconds);
  return (end - begin) * 1e9 / static_cast<double>(calls);
}

int Main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 1;
  const Issuer issuer;
  const std::string token(43, 't');
  const std::string text = absl::StrCat(
      "roles: [{name: r, key_prefixes: [a], verbs: [read]}]\n"
      "bindings: [{principal: 'token:t', roles: [r]}, {principal: 'j:s', roles: [r]}]\n"
      "tokens: [{name: t, sha256: '",
      Hex(Sha256(token)),
      "'}]\n"
      "issuers: [{name: j, issuer: i, audience: a, jwks_file: f}]\n");
  const auto make = [&] {
    policy::PolicyRules rules = *policy::ReadPolicy(text, "policy");
    std::vector<KnownIssuer> issuers;
    issuers.push_back({rules.issuers[0], (*ReadSigningKeys(issuer.KeySet(), "keys")).keys});
    return std::make_unique<const LoadedPolicy>(std::move(rules), std::move(issuers));
  };
  const auto loaded = make();
  const double nobody = NsPerCall(*loaded, CallerWith(""), "anonymous", seconds);
  const double of_token = NsPerCall(*loaded, CallerWith(token), "token:t", seconds);
  const CallerWith bearer(issuer.Token());
  const double known = NsPerCall(*loaded, bearer, "j:s", seconds);
  constexpr int kFirst = 200;
  double first = 0;
  for (int i = 0; i < kFirst; ++i) {
    const auto fresh = make();
    const double begin = CpuSeconds();
    if (fresh->Identify(bearer).principal != "j:s") return 1;
    first += CpuSeconds() - begin;
  }
  if (nobody < 0 || of_token < 0 || known < 0) return 1;
  std::printf("ratio anonymous_cost_ns %.0f\n", nobody);
  std::printf("ratio static_token_cost_ns %.0f\n", of_token);
  std::printf("ratio jwt_first_cost_ns %.0f\n", first / kFirst * 1e9);
  std::printf("ratio jwt_cached_cost_ns %.0f\n", known);
  return 0;
}

}  // namespace
}  // namespace ferrite

// SECONDS for each.
int main(int argc, char** argv) { return ferrite::Main(argc, argv); }
