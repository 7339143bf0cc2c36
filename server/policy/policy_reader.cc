#include "server/policy/policy_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/beginning.h"
#include "server/policy/yaml_events.h"

namespace ferrite::policy {
namespace {

using Kind = YamlEvent::Kind;

constexpr size_t kMaxNameBytes = 4096;  // of keys, channels and principals
constexpr size_t kMostToldBytes = 64;   // of what complaints quote

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", std::string(Beginning(text, kMostToldBytes)), "'");
}

std::optional<uint8_t> HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<uint8_t>(digit - 'A' + 10);
  return std::nullopt;
}

std::optional<Digest> ReadDigest(std::string_view text) {
  Digest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const auto high = HexDigit(text[2 * i]);
    const auto low = HexDigit(text[2 * i + 1]);
    if (!high.has_value() || !low.has_value()) return std::nullopt;
    digest[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return digest;
}

// A text and where it stands.
struct Placed {
  std::string text;
  size_t line = 0;
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : events_(text, name) {}

  absl::StatusOr<PolicyRules> Read() {
    ReadDocument();
    if (status_.ok()) ResolveNamespaces();
    if (status_.ok()) ResolveBindings();
    if (!status_.ok()) return status_;
    return std::move(rules_);
  }

 private:
  using Body = absl::FunctionRef<void(std::string_view field)>;

  const YamlEvent& event() const { return events_.event(); }
  bool ok() const { return status_.ok(); }
  void Complain(size_t line, std::string_view reason) {
    if (status_.ok()) status_ = events_.Complain(line, reason);
  }
  bool Next() {
    if (status_.ok()) status_ = events_.Next();
    return status_.ok();
  }

  void ReadDocument() {
    if (!Next()) return;
    if (event().kind == Kind::kEnd) {
      return Complain(1, "the policy is empty; one that denies everything is 'roles: []'");
    }
    ReadMap("the policy", {"roles", "bindings", "tokens", "issuers", "namespaces"}, {"roles"},
            [this](std::string_view field) {
              if (field == "roles") ReadList(field, [this] { ReadRole(); });
              if (field == "bindings") ReadList(field, [this] { ReadBinding(); });
              if (field == "tokens") ReadList(field, [this] { ReadToken(); });
              if (field == "issuers") ReadList(field, [this] { ReadIssuer(); });
              if (field == "namespaces") ReadList(field, [this] { ReadNamespace(); });
            });
    if (Next() && event().kind != Kind::kEnd)
      Complain(event().line, "something follows the policy");
  }

  // Reads a map whose begin is the current event: calls body(field) with the first event of each
  // value, which it has to read to its last event.
  void ReadMap(std::string_view what, const std::vector<std::string_view>& fields,
               const std::vector<std::string_view>& needed, Body body) {
    const size_t begin = event().line;
    if (event().kind != Kind::kMapBegin) {
      return Complain(begin, absl::StrCat(std::string(what), " must be a map, with the fields ",
                                          Listed(fields)));
    }
    std::vector<std::string_view> seen;
    while (Next() && event().kind != Kind::kMapEnd) {
      const size_t line = event().line;
      const auto field = event().kind == Kind::kScalar
                             ? std::find(fields.begin(), fields.end(), event().text)
                             : fields.end();
      if (field == fields.end()) {
        return Complain(line, absl::StrCat("unknown field ", Quoted(event().text), " in ",
                                           std::string(what), ", which has ", Listed(fields)));
      }
      if (std::find(seen.begin(), seen.end(), *field) != seen.end()) {
        return Complain(line, absl::StrCat("the field ", std::string(*field), " is there twice"));
      }
      seen.push_back(*field);
      if (!Next()) return;
      body(*field);
      if (!ok()) return;
    }
    for (const std::string_view field : needed) {
      if (ok() && std::find(seen.begin(), seen.end(), field) == seen.end()) {
        return Complain(begin,
                        absl::StrCat(std::string(what), " needs the field ", std::string(field)));
      }
    }
  }

  static std::string Listed(const std::vector<std::string_view>& fields) {
    std::string all;
    for (const std::string_view field : fields)
      absl::StrAppend(&all, all.empty() ? "" : ", ", std::string(field));
    return all;
  }

  // Calls body() with the first event of each element.
  void ReadList(std::string_view what, absl::FunctionRef<void()> body) {
    if (event().kind != Kind::kListBegin) {
      return Complain(event().line, absl::StrCat(std::string(what), " must be a list"));
    }
    while (Next() && event().kind != Kind::kListEnd) body();
  }

  Placed ReadText(std::string_view what, bool may_be_empty = false) {
    const YamlEvent& at = event();
    if (at.kind != Kind::kScalar) {
      Complain(at.line, absl::StrCat(std::string(what), " must be a text"));
      return {};
    }
    if (!at.quoted && (at.text.empty() || at.text == "~" || at.text == "null")) {
      Complain(at.line, absl::StrCat(std::string(what),
                                     " has no value; a text that looks like none needs quotes"));
    } else if (at.text.empty() && !may_be_empty) {
      Complain(at.line, absl::StrCat(std::string(what), " is empty"));
    } else if (at.text.size() > kMaxNameBytes) {
      Complain(at.line, absl::StrCat(std::string(what), " has ", at.text.size(),
                                     " bytes; the limit is ", kMaxNameBytes));
    }
    return {at.text, at.line};
  }

  void ReadTexts(std::string_view what, bool may_be_empty, std::vector<std::string>* texts) {
    ReadList(what, [&] {
      texts->push_back(
          ReadText(absl::StrCat("an element of ", std::string(what)), may_be_empty).text);
    });
  }

  void ReadVerbs(Verbs* verbs) {
    ReadList("verbs", [&] {
      const Placed verb = ReadText("a verb");
      const std::optional<Verb> found = VerbNamed(verb.text);
      if (!found.has_value()) {
        return Complain(verb.line, absl::StrCat("unknown verb ", Quoted(verb.text), "; there are ",
                                                absl::StrJoin(AllVerbNames(), ", ")));
      }
      *verbs |= *found;
    });
  }

  void ReadFlag(std::string_view what, bool* flag) {
    const YamlEvent& at = event();
    *flag = at.text == "true";
    if (at.kind == Kind::kScalar && !at.quoted && (*flag || at.text == "false")) return;
    Complain(at.line, absl::StrCat(std::string(what), " must be true or false"));
  }

  void ReadRole() {
    Role role;
    Placed name = {.line = event().line};
    ReadMap("a role",
            {"name", "keys", "key_prefixes", "channels", "channel_prefixes", "verbs", "redacted",
             "namespaces"},
            {"name", "verbs"}, [&](std::string_view field) {
              if (field == "namespaces") {
                ReadList(field, [&] {
                  namespaces_.push_back(ReadText("a namespace of a role"));
                  role.namespaces.push_back(namespaces_.back().text);
                });
              }
              if (field == "name") name = ReadText("the name of a role");
              if (field == "keys") ReadTexts(field, false, &role.keys);
              if (field == "key_prefixes") ReadTexts(field, true, &role.key_prefixes);
              if (field == "channels") ReadTexts(field, false, &role.channels);
              if (field == "channel_prefixes") ReadTexts(field, true, &role.channel_prefixes);
              if (field == "verbs") ReadVerbs(&role.verbs);
              if (field == "redacted") ReadFlag(field, &role.redacted);
            });
    if (!ok()) return;
    CheckEffect(role, name);
    const auto place = static_cast<uint32_t>(rules_.roles.size());
    if (!role_places_.emplace(name.text, place).second) {
      return Complain(name.line, absl::StrCat("the role ", Quoted(name.text), " is there twice"));
    }
    rules_.roles.push_back(std::move(role));
    rules_.role_names.push_back(std::move(name.text));
  }

  // Refuses what could have no effect.
  void CheckEffect(const Role& role, const Placed& name) {
    const bool has_keys = !role.keys.empty() || !role.key_prefixes.empty();
    const bool has_channels = !role.channels.empty() || !role.channel_prefixes.empty();
    for (size_t i = 0; i < kVerbNames.size(); ++i) {
      const Verbs verb = static_cast<Verb>(i);
      if (!role.verbs.Have(verb)) continue;
      const bool of_keys = kVerbsOfKeys.Have(verb);
      const bool of_channels = kVerbsOfChannels.Have(verb);
      if ((!of_keys && !of_channels) || (of_keys && has_keys) || (of_channels && has_channels))
        continue;
      Complain(
          name.line,
          absl::StrCat("the role ", Quoted(name.text), " has the verb ", std::string(kVerbNames[i]),
                       " but no ",
                       of_keys ? of_channels ? "keys, key_prefixes, channels or channel_prefixes"
                                             : "keys or key_prefixes"
                               : "channels or channel_prefixes"));
    }
    if (role.verbs.empty())
      Complain(name.line, absl::StrCat("the role ", Quoted(name.text), " has no verbs"));
    if (has_keys && (role.verbs & kVerbsOfKeys).empty()) {
      Complain(name.line,
               absl::StrCat("the role ", Quoted(name.text), " has keys, but no verb for them"));
    }
    if (has_channels && (role.verbs & kVerbsOfChannels).empty()) {
      Complain(name.line,
               absl::StrCat("the role ", Quoted(name.text), " has channels, but no verb for them"));
    }
  }

  void ReadNamespace() {
    const size_t line = event().line;
    NamespaceRules rules;
    ReadMap("a namespace",
            {"name", "memory", "operations_per_second", "connections", "default_ttl", "eviction"},
            {"name", "memory"}, [&](std::string_view field) {
              const Placed text = ReadText(field);
              const std::string wrong = SetNamespaceField(field, text.text, &rules);
              if (!wrong.empty()) {
                Complain(text.line, absl::StrCat("the ", std::string(field), " of a namespace, ",
                                                 Quoted(text.text), ", ", wrong));
              }
            });
    if (!ok()) return;
    for (const NamespaceRules& other : rules_.namespaces) {
      if (other.name == rules.name)
        return Complain(line,
                        absl::StrCat("the namespace ", Quoted(rules.name), " is there twice"));
    }
    if (rules_.namespaces.size() == kMaxNamespaces) {
      return Complain(line, absl::StrCat("there are more than ", kMaxNamespaces,
                                         " namespaces, which is the limit"));
    }
    rules_.namespaces.push_back(std::move(rules));
  }

  void CheckNamespace(const Placed& name) {
    if (name.text == "default" || name.text == kAllNamespaces) return;
    for (const NamespaceRules& each : rules_.namespaces) {
      if (each.name == name.text) return;
    }
    Complain(name.line, absl::StrCat("there is no namespace ", Quoted(name.text)));
  }

  // Those that roles name.
  void ResolveNamespaces() {
    for (const Placed& name : namespaces_) CheckNamespace(name);
  }

  struct Binding {
    Placed principal;
    Placed home;
    std::vector<Placed> roles;
  };

  void ReadBinding() {
    Binding binding;
    ReadMap("a binding", {"principal", "roles", "namespace"}, {"principal", "roles"},
            [&](std::string_view field) {
              if (field == "namespace") binding.home = ReadText("the namespace of a binding");
              if (field == "principal") binding.principal = ReadText("a principal");
              if (field == "roles") {
                ReadList(field, [&] { binding.roles.push_back(ReadText("a role of a binding")); });
              }
            });
    if (ok()) bindings_.push_back(std::move(binding));
  }

  void ReadToken() {
    Placed name;
    Placed sha256;
    ReadMap("a token", {"name", "sha256"}, {"name", "sha256"}, [&](std::string_view field) {
      if (field == "name") name = ReadText("the name of a token");
      if (field == "sha256") sha256 = ReadText("the sha256 of a token");
    });
    if (!ok()) return;
    const std::optional<Digest> digest = ReadDigest(sha256.text);
    if (!digest.has_value()) {
      return Complain(sha256.line, absl::StrCat("the sha256 of token ", Quoted(name.text),
                                                " must be 64 hexadecimal digits"));
    }
    if (!rules_.tokens.emplace(*digest, absl::StrCat(std::string(kTokenKind), name.text)).second) {
      return Complain(sha256.line,
                      absl::StrCat("the sha256 of token ", Quoted(name.text), " is there twice"));
    }
    token_names_.insert(std::move(name.text));
  }

  void ReadIssuer() {
    Issuer issuer;
    size_t line = event().line;
    ReadMap("an issuer", {"name", "issuer", "audience", "jwks_file"},
            {"name", "issuer", "audience", "jwks_file"}, [&](std::string_view field) {
              Placed text = ReadText(field);
              if (field == "name") issuer.name = std::move(text.text), line = text.line;
              if (field == "issuer") issuer.issuer = std::move(text.text);
              if (field == "audience") issuer.audience = std::move(text.text);
              if (field == "jwks_file") issuer.jwks_file = std::move(text.text);
            });
    if (!ok()) return;
    const std::string kind = issuer.name + ":";
    if (issuer.name.find(':') != std::string::npos || kind == kTokenKind || kind == kUriKind ||
        kind == kDnsKind) {
      return Complain(line,
                      absl::StrCat("an issuer cannot have the name ", Quoted(issuer.name),
                                   ": it may have no colon, and token, uri and dns are taken"));
    }
    for (const Issuer& other : rules_.issuers) {
      if (other.name == issuer.name || other.issuer == issuer.issuer) {
        return Complain(line, absl::StrCat("the issuer ", Quoted(issuer.name), " is there twice"));
      }
    }
    rules_.issuers.push_back(std::move(issuer));
  }

  // Once all that they may name is known, as the order of a policy means nothing.
  void ResolveBindings() {
    rules_.bindings.reserve(bindings_.size());
    for (Binding& binding : bindings_) {
      CheckPrincipal(binding.principal);
      std::vector<uint32_t> roles;
      for (const Placed& role : binding.roles) {
        const auto place = role_places_.find(role.text);
        if (place == role_places_.end()) {
          return Complain(role.line, absl::StrCat("there is no role ", Quoted(role.text)));
        }
        roles.push_back(place->second);
      }
      const size_t line = binding.principal.line;
      if (!rules_.bindings.emplace(binding.principal.text, std::move(roles)).second) {
        return Complain(line, absl::StrCat("the principal ", Quoted(binding.principal.text),
                                           " is bound twice: name all of its roles at once"));
      }
      const std::string& home = binding.home.text;
      if (home == kAllNamespaces) {
        Complain(binding.home.line, "the namespace of a binding must be one, not all of them");
      } else if (!home.empty() && home != "default") {
        CheckNamespace(binding.home);
        rules_.homes.emplace(binding.principal.text, home);
      }
      if (!ok()) return;
    }
  }

  void CheckPrincipal(const Placed& principal) {
    const std::string& text = principal.text;
    if (text == kAnonymous || text.starts_with(kUriKind) || text.starts_with(kDnsKind)) return;
    if (text.starts_with(kTokenKind)) {
      const std::string name = text.substr(kTokenKind.size());
      if (token_names_.contains(name)) return;
      return Complain(principal.line, absl::StrCat("there is no token ", Quoted(name)));
    }
    for (const Issuer& issuer : rules_.issuers) {
      if (text.starts_with(issuer.name + ":")) return;
    }
    Complain(principal.line,
             absl::StrCat("the principal ", Quoted(text),
                          " is none that a caller could be: anonymous, uri:..., dns:..., "
                          "token:NAME, or the name of an issuer, a colon and a subject"));
  }

  YamlEvents events_;
  absl::Status status_;
  PolicyRules rules_;
  absl::flat_hash_map<std::string, uint32_t> role_places_;
  absl::flat_hash_set<std::string> token_names_;
  std::vector<Binding> bindings_;
  std::vector<Placed> namespaces_;  // that roles name
};

}  // namespace

absl::StatusOr<PolicyRules> ReadPolicy(std::string_view text, const std::string& name) {
  if (text.size() > kMaxPolicyBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": a policy has at most ", kMaxPolicyBytes,
                                                   " bytes; this one has ", text.size()));
  }
  return Reader(text, name).Read();
}

}  // namespace ferrite::policy
