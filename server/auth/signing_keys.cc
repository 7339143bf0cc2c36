#include "server/auth/signing_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/auth/base64url.h"

namespace ferrite {
namespace {

using nlohmann::json;

constexpr size_t kMostKeys = 256;
constexpr size_t kEcCoordinateBytes = 32;
constexpr size_t kEdKeyBytes = 32;
// Shorter ones can be broken; longer ones take milliseconds.
constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;
// Nearly all have 65537. Each bit more costs a signature one more step.
constexpr int kMostRsaExponentBits = 32;

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Deleter<T, Free>>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A member that is a string; absent if there is none.
std::optional<std::string> MemberOf(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<std::string> Decoded(const json& object, const char* name) {
  const std::optional<std::string> text = MemberOf(object, name);
  return text.has_value() ? DecodeBase64Url(*text) : std::nullopt;
}

SigningKey::Key NoKey() { return {nullptr, &EVP_PKEY_free}; }

SigningKey::Key Build(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return NoKey();
  }
  return {key, &EVP_PKEY_free};
}

bool IsSound(const SigningKey::Key& key) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

// With an exponent of 1 every text is its own signature, and an even number is no key of anybody.
bool IsSoundRsa(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int bits = BN_num_bits(modulus);
  return bits >= kLeastRsaBits && bits <= kMostRsaBits && BN_is_odd(modulus) != 0 &&
         BN_is_odd(exponent) != 0 && BN_is_one(exponent) == 0 &&
         BN_num_bits(exponent) <= kMostRsaExponentBits;
}

SigningKey::Key RsaKey(const json& object) {
  const auto modulus = Decoded(object, "n");
  const auto exponent = Decoded(object, "e");
  // Some write a zero before them.
  if (!modulus.has_value() || !exponent.has_value() || modulus->size() > kMostRsaBits / 8 + 1 ||
      exponent->size() > kMostRsaBits / 8) {
    return NoKey();
  }
  using Number = Owned<BIGNUM, BN_free>;
  const Number n(BN_bin2bn(Bytes(*modulus), static_cast<int>(modulus->size()), nullptr));
  const Number e(BN_bin2bn(Bytes(*exponent), static_cast<int>(exponent->size()), nullptr));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || !IsSoundRsa(n.get(), e.get()) ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return NoKey();
  }
  return Build("RSA", builder.get());
}

SigningKey::Key EcKey(const json& object) {
  const auto x = Decoded(object, "x");
  const auto y = Decoded(object, "y");
  if (!x.has_value() || !y.has_value() || x->size() != kEcCoordinateBytes ||
      y->size() != kEcCoordinateBytes) {
    return NoKey();
  }
  const std::string point = "\x04" + *x + *y;
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return NoKey();
  }
  SigningKey::Key key = Build("EC", builder.get());
  return key != nullptr && IsSound(key) ? std::move(key) : NoKey();
}

SigningKey::Key EdKey(const json& object) {
  const auto x = Decoded(object, "x");
  if (!x.has_value() || x->size() != kEdKeyBytes) return NoKey();
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(*x), x->size()),
          &EVP_PKEY_free};
}

// How a key signs, by what it says of itself; absent: in no way of ours.
std::optional<SigningAlgorithm> AlgorithmOfKey(const json& object) {
  if (MemberOf(object, "use").value_or("sig") != "sig") return std::nullopt;
  const std::string type = MemberOf(object, "kty").value_or("");
  const std::string curve = MemberOf(object, "crv").value_or("");
  std::optional<SigningAlgorithm> algorithm;
  if (type == "RSA") algorithm = SigningAlgorithm::kRs256;
  if (type == "EC" && curve == "P-256") algorithm = SigningAlgorithm::kEs256;
  if (type == "OKP" && curve == "Ed25519") algorithm = SigningAlgorithm::kEdDsa;
  const std::optional<std::string> named = MemberOf(object, "alg");
  return named.has_value() && AlgorithmOf(*named) != algorithm ? std::nullopt : algorithm;
}

SigningKey::Key ReadKey(const json& object, SigningAlgorithm algorithm) {
  switch (algorithm) {
    case SigningAlgorithm::kRs256:
      return RsaKey(object);
    case SigningAlgorithm::kEs256:
      return EcKey(object);
    case SigningAlgorithm::kEdDsa:
      return EdKey(object);
  }
  return NoKey();
}

// A token has both halves of the signature, one after the other; OpenSSL wants them in DER.
std::string EcSignatureInDer(std::string_view signature) {
  if (signature.size() != 2 * kEcCoordinateBytes) return {};
  const Owned<ECDSA_SIG, ECDSA_SIG_free> halves(ECDSA_SIG_new());
  BIGNUM* const r = BN_bin2bn(Bytes(signature), kEcCoordinateBytes, nullptr);
  BIGNUM* const s =
      BN_bin2bn(Bytes(signature.substr(kEcCoordinateBytes)), kEcCoordinateBytes, nullptr);
  ECDSA_SIG_set0(halves.get(), r, s);  // which owns them from here on
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(halves.get(), &der);
  std::string bytes;
  if (size > 0) bytes.assign(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

// Reads key after key, and says of each that is left out why.
class KeySetReader {
 public:
  void Read(const json& object, size_t index) {
    which_ = absl::StrCat("key ", index, " (from 0)");
    if (!object.is_object()) return LeaveOut("is no object");
    const std::optional<SigningAlgorithm> algorithm = AlgorithmOfKey(object);
    if (!algorithm.has_value()) return;  // a set may have keys for other uses
    if (object.contains("d")) return LeaveOut("is a private one, which only its issuer may have");
    SigningKey::Key key = ReadKey(object, *algorithm);
    if (key == nullptr) {
      ERR_clear_error();
      return LeaveOut(*algorithm == SigningAlgorithm::kRs256
                          ? absl::StrCat("is broken, or has fewer than ", kLeastRsaBits,
                                         " or more than ", kMostRsaBits,
                                         " bits, or an exponent that is even, 1, or above ",
                                         kMostRsaExponentBits, " bits")
                          : "is broken");
    }
    Add({MemberOf(object, "kid").value_or(""), *algorithm, std::move(key)});
  }

  // None of several keys with one name is believed, as nobody can tell which is meant.
  KeySet Take() {
    std::erase_if(set_.keys, [this](const SigningKey& key) {
      return ambiguous_.contains({key.algorithm(), key.id()});
    });
    return std::move(set_);
  }

 private:
  void LeaveOut(const std::string& reason) {
    set_.left_out.push_back(absl::StrCat(which_, " ", reason));
  }
  void Add(SigningKey key) {
    const auto twin = std::find_if(set_.keys.begin(), set_.keys.end(), [&](const auto& other) {
      return !key.id().empty() && other.id() == key.id() && other.algorithm() == key.algorithm();
    });
    if (twin == set_.keys.end()) {
      set_.keys.push_back(std::move(key));
    } else if (!twin->IsSame(key)) {
      ambiguous_.insert({key.algorithm(), key.id()});
      LeaveOut("has the kid of another one: both are left out");
    }
  }

  std::string which_;
  KeySet set_;
  std::set<std::pair<SigningAlgorithm, std::string>> ambiguous_;
};

}  // namespace

std::optional<SigningAlgorithm> AlgorithmOf(std::string_view name) {
  if (name == "RS256") return SigningAlgorithm::kRs256;
  if (name == "ES256") return SigningAlgorithm::kEs256;
  if (name == "EdDSA") return SigningAlgorithm::kEdDsa;
  return std::nullopt;
}

bool SigningKey::HasSigned(std::string_view text, std::string_view signature) const {
  std::string der;
  if (algorithm_ == SigningAlgorithm::kEs256) {
    der = EcSignatureInDer(signature);
    signature = der;
  }
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const EVP_MD* const digest =
      algorithm_ == SigningAlgorithm::kEdDsa ? nullptr : EVP_sha256();  // Ed25519 has its own
  const bool is_good =
      !signature.empty() &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                       text.size()) == 1;
  // What others would take for theirs.
  if (!is_good) ERR_clear_error();
  return is_good;
}

bool SigningKey::IsSame(const SigningKey& other) const {
  return EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
}

bool SameKeys(const std::vector<SigningKey>& some, const std::vector<SigningKey>& others) {
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [](const SigningKey& one, const SigningKey& other) {
                      return one.id() == other.id() && one.algorithm() == other.algorithm() &&
                             one.IsSame(other);
                    });
}

absl::StatusOr<KeySet> ReadSigningKeys(std::string_view text, const std::string& name) {
  const auto complain = [&name](const std::string& reason) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", reason));
  };
  const json set = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return complain("this is no JSON Web Key Set: an object with the list \"keys\"");
  }
  const json& objects = set["keys"];
  if (objects.size() > kMostKeys) {
    return complain(absl::StrCat("it has more than ", kMostKeys, " keys"));
  }
  KeySetReader reader;
  for (size_t i = 0; i < objects.size(); ++i) reader.Read(objects[i], i);
  KeySet keys = reader.Take();
  if (!keys.keys.empty()) return keys;
  std::string complaint = "none of its keys signs with RS256, ES256 or EdDSA";
  if (!keys.left_out.empty()) absl::StrAppend(&complaint, ": ", keys.left_out.front());
  return complain(complaint);
}

}  // namespace ferrite
