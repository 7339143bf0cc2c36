#include "server/policy/policy_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrite::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kWhole[] = R"(
roles:
  - name: sessions
    key_prefixes: ["session:"]
    keys: [motd, "a\0b"]
    verbs: [read, write, delete, scan]
  - name: news
    channels: [news]
    channel_prefixes: ["shop.", "\0probe"]
    verbs: [publish, subscribe]
  - name: operators
    verbs: [admin]
bindings:
  - principal: token:shop
    roles: [sessions, news]
  - principal: uri:spiffe://example.org/ops
    roles: [operators]
  - principal: k8s:system:serviceaccount:shop:web
    roles: [sessions]
tokens:
  - name: shop
    sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
issuers:
  - name: k8s
    issuer: https://kubernetes.default.svc
    audience: ferrite
    jwks_file: keys.json
)";

std::string ComplaintAbout(const std::string& text) {
  const auto rules = ReadPolicy(text, "policy.yaml");
  return rules.ok() ? "none" : std::string(rules.status().message());
}

TEST(PolicyReader, ReadsAWholePolicy) {
  const auto rules = ReadPolicy(kWhole, "policy.yaml");
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_THAT(rules->role_names, ElementsAre("sessions", "news", "operators"));
  EXPECT_THAT(rules->roles[0].keys, ElementsAre("motd", std::string("a\0b", 3)));
  EXPECT_THAT(rules->roles[1].channel_prefixes, ElementsAre("shop.", std::string("\0probe", 6)));
  EXPECT_THAT(rules->bindings.at("token:shop"), ElementsAre(0u, 1u));
  EXPECT_THAT(rules->bindings.at("k8s:system:serviceaccount:shop:web"), ElementsAre(0u));
  EXPECT_EQ(rules->tokens.begin()->second, "token:shop");
  EXPECT_EQ(rules->tokens.begin()->first[0], 0xe3);
  EXPECT_EQ(rules->issuers[0].audience, "ferrite");
}

TEST(PolicyReader, ReadsJsonAsWell) {
  const auto rules = ReadPolicy(
      R"({"bindings": [{"principal": "anonymous", "roles": ["readers"]}],
          "roles": [{"name": "readers", "verbs": ["read"], "key_prefixes": [""]}]})",
      "policy.json");
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_THAT(rules->bindings.at("anonymous"), ElementsAre(0u));
}

// Each complaint names the file, the line and what is wrong.
TEST(PolicyReader, ComplainsWithTheLine) {
  const std::string role = "roles:\n- name: r\n  key_prefixes: [a]\n  verbs: [read]\n";
  for (const auto& [text, complaint] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "policy.yaml:1: the policy is empty"},
           {"roles: [", "policy.yaml:2: this is no YAML"},
           {"\t", "this is no YAML"},
           {"bindings: []", "policy.yaml:1: the policy needs the field roles"},
           {"[]", "policy.yaml:1: the policy must be a map"},
           {"roles: {}", "policy.yaml:1: roles must be a list"},
           {"roles: []\nspaces: []", "policy.yaml:2: unknown field 'spaces' in the policy"},
           {role + "namespaces:\n- {name: n, memory: much}",
            "policy.yaml:6: the memory of a namespace, 'much', must be a share"},
           {role + "namespaces:\n- name: n", "a namespace needs the field memory"},
           {"roles:\n- {name: r, key_prefixes: [a], verbs: [read], namespaces: [n]}",
            "policy.yaml:2: there is no namespace 'n'"},
           {role + "bindings:\n- {principal: anonymous, roles: [r], namespace: n}",
            "policy.yaml:6: there is no namespace 'n'"},
           {"roles: []\nroles: []", "policy.yaml:2: the field roles is there twice"},
           {"roles: []\n---\nroles: []", "a second document begins"},
           {"roles: &all []", "anchors, aliases and tags"},
           {"roles: !!set []", "anchors, aliases and tags"},
           {"roles:\n- name: r\n  verbs: [fly]",
            "policy.yaml:3: unknown verb 'fly'; there are read, write"},
           {"roles:\n- name: r\n  verbs: [read]",
            "policy.yaml:2: the role 'r' has the verb read but no keys"},
           {"roles:\n- name: r\n  verbs: [publish]\n  keys: [a]",
            "has the verb publish but no channels"},
           {"roles:\n- name: r\n  verbs: [admin]\n  keys: [a]", "has keys, but no verb for them"},
           {"roles:\n- name: r\n  verbs: []\n", "has no verbs"},
           {"roles:\n- name: r\n  keys: [\"\"]\n  verbs: [read]",
            "policy.yaml:3: an element of keys is empty"},
           {"roles:\n- name: r\n  key_prefixes: [~]\n  verbs: [read]", "has no value"},
           {"roles:\n- name: r\n  key_prefixes:\n  verbs: [read]", "key_prefixes must be a list"},
           {"roles:\n- name: [r]\n  verbs: [admin]", "the name of a role must be a text"},
           {"roles:\n- verbs: [admin]", "a role needs the field name"},
           {"roles:\n- name: r\n  verbs: [admin]\n  redacted: yes",
            "policy.yaml:4: redacted must be true or false"},
           {"roles:\n- name: r\n  verbs: [admin]\n  redacted: 'true'", "must be true or false"},
           {"roles:\n- name: r\n  verbs: [admin]\n  redacted: []", "must be true or false"},
           {"roles:\n- name: r\n  verb: [admin]", "policy.yaml:3: unknown field 'verb' in a role"},
           {role + "- name: r\n  verbs: [admin]", "policy.yaml:5: the role 'r' is there twice"},
           {role + "bindings:\n- principal: anonymous\n  roles: [s]",
            "policy.yaml:7: there is no role 's'"},
           {role + "bindings:\n- principal: bob\n  roles: [r]",
            "policy.yaml:6: the principal 'bob' is none"},
           {role + "bindings:\n- principal: token:t\n  roles: [r]", "there is no token 't'"},
           {role + "bindings:\n- {principal: anonymous, roles: [r]}\n- {principal: anonymous, "
                   "roles: [r]}",
            "policy.yaml:7: the principal 'anonymous' is bound twice"},
           {role + "tokens:\n- name: t\n  sha256: abc",
            "policy.yaml:7: the sha256 of token 't' must be 64"},
           {role + "issuers:\n- {name: token, issuer: i, audience: a, jwks_file: f}",
            "cannot have the name 'token'"},
       }) {
    EXPECT_THAT(ComplaintAbout(text), HasSubstr(complaint)) << text;
  }
}

TEST(PolicyReader, ReadsNamespaces) {
  const auto rules = ReadPolicy(R"(
bindings:
- {principal: anonymous, roles: [r], namespace: shop}
roles:
- {name: r, key_prefixes: [a], verbs: [read], namespaces: [default, shop]}
namespaces:
- {name: shop, memory: 64MiB, operations_per_second: 100, connections: 7, default_ttl: 1h30m}
- {name: blog, memory: 25%, eviction: noeviction}
)",
                                "policy.yaml");
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_THAT(rules->roles[0].namespaces, ElementsAre("default", "shop"));
  EXPECT_EQ(rules->homes.at("anonymous"), "shop");
  const NamespaceRules& shop = rules->namespaces[0];
  EXPECT_EQ(shop.memory_bytes, 64u << 20);
  EXPECT_EQ(shop.operations_per_second, 100u);
  EXPECT_EQ(shop.connections, 7u);
  EXPECT_EQ(shop.default_ttl_ms, 90 * 60 * 1000);
  EXPECT_TRUE(shop.evict);
  EXPECT_EQ(rules->namespaces[1].memory_percent, 25u);
  EXPECT_FALSE(rules->namespaces[1].evict);
}

TEST(PolicyReader, KeepsItsWordsShort) {
  EXPECT_LT(ComplaintAbout("roles: []\n" + std::string(1000, 'x') + ": 1").size(), 300u);
  EXPECT_THAT(ComplaintAbout("roles:\n- name: r\n  verbs: [read]\n  keys: [" +
                             std::string(5000, 'k') + "]"),
              HasSubstr("has 5000 bytes; the limit is 4096"));
}

TEST(PolicyReader, ReadsAHundredThousandBindings) {
  std::string text = "roles:\n- {name: r, key_prefixes: [a], verbs: [read]}\nbindings:\n";
  for (int i = 0; i < 100'000; ++i) {
    text += "- principal: uri:spiffe://example.org/" + std::to_string(i) + "\n  roles: [r]\n";
  }
  const auto rules = ReadPolicy(text, "policy.yaml");
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(rules->bindings.size(), 100'000u);
}

}  // namespace
}  // namespace ferrite::policy
