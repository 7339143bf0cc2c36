// The compiled set against one that goes through all rules, on random names of few letters, so that
// prefixes of prefixes, whole names and near misses abound.

#include "server/policy/name_set.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace ferrite::policy {
namespace {

class NaiveSet {
 public:
  void Add(std::string text, bool is_prefix, Verbs verbs) {
    rules_.push_back({std::move(text), is_prefix, verbs});
  }
  Verbs Of(std::string_view name) const {
    Verbs all;
    for (const Rule& rule : rules_) {
      if (rule.is_prefix ? name.starts_with(rule.text) : name == rule.text) all |= rule.verbs;
    }
    return all;
  }
  // Each verb that a rule gives all names with the prefix. Rules are finite and names are not, so
  // no number of longer rules adds up to a shorter one.
  Verbs OfAllWith(std::string_view prefix) const {
    Verbs all;
    for (const Rule& rule : rules_) {
      if (rule.is_prefix && prefix.starts_with(rule.text)) all |= rule.verbs;
    }
    return all;
  }

 private:
  struct Rule {
    std::string text;
    bool is_prefix;
    Verbs verbs;
  };
  std::vector<Rule> rules_;
};

class RandomNames {
 public:
  explicit RandomNames(unsigned seed) : random_(seed) {}

  size_t Below(size_t most) { return random_() % most; }
  // Around the sixteen bytes that are compared first, and with zeros and bytes above 127.
  std::string Name(size_t most_bytes) {
    constexpr char kLetters[] = {'a', 'b', '\0', '\xff'};
    std::string name;
    if (Below(3) == 0) name = "sessions-of-a:";
    for (size_t length = Below(most_bytes + 1); length > 0; --length) name += kLetters[Below(4)];
    return name;
  }
  Verbs SomeVerbs() {
    Verbs verbs = static_cast<Verb>(Below(kVerbNames.size()));
    if (Below(2) == 0) verbs |= static_cast<Verb>(Below(kVerbNames.size()));
    return verbs;
  }

 private:
  std::mt19937 random_;
};

TEST(NameSet, AnswersAsTheRulesDoOneByOne) {
  int allowed = 0;
  int denied = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    RandomNames random(seed);
    NaiveSet naive;
    NameSet set;
    for (size_t rules = random.Below(30); rules > 0; --rules) {
      const std::string text = random.Name(10);
      const Verbs verbs = random.SomeVerbs();
      const bool is_prefix = random.Below(2) == 0;
      naive.Add(text, is_prefix, verbs);
      is_prefix ? set.AddPrefix(text, verbs) : set.AddName(text, verbs);
    }
    set.Compile();
    for (int i = 0; i < 300; ++i) {
      const std::string name = random.Name(12);
      const Verbs asked = random.SomeVerbs();
      const bool expected = naive.Of(name).Have(asked);
      (expected ? allowed : denied)++;
      EXPECT_EQ(set.Of(name, asked).Have(asked), expected) << "seed " << seed << " name " << name;
      EXPECT_EQ(set.OfAllWith(name), naive.OfAllWith(name))
          << "seed " << seed << " prefix " << name;
    }
  }
  EXPECT_GT(allowed, 5'000);
  EXPECT_GT(denied, 10'000);
}

TEST(NameSet, DeniesWhatNothingAllows) {
  NameSet set;
  set.Compile();
  EXPECT_TRUE(set.Of("a", Verb::kRead).empty());
  EXPECT_TRUE(set.OfAllWith("").empty());
  EXPECT_TRUE(set.on_some().empty());
}

TEST(NameSet, AWholeNameIsNoPrefix) {
  NameSet set;
  set.AddName("motd", Verb::kRead);
  set.Compile();
  EXPECT_TRUE(set.Of("motd", Verb::kRead).Have(Verb::kRead));
  EXPECT_FALSE(set.Of("motd2", Verb::kRead).Have(Verb::kRead));
  EXPECT_FALSE(set.Of("mot", Verb::kRead).Have(Verb::kRead));
  EXPECT_TRUE(set.OfAllWith("motd").empty());
}

TEST(NameSet, AnswersForTenThousandPrefixesThatBeginAlike) {
  NameSet set;
  for (int i = 0; i < 10'000; ++i) set.AddPrefix("session:" + std::to_string(i) + ":", Verb::kRead);
  set.Compile();
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "session:" + std::to_string(i);
    EXPECT_TRUE(set.Of(name + ":x", Verb::kRead).Have(Verb::kRead));
    EXPECT_FALSE(set.Of(name, Verb::kRead).Have(Verb::kRead));
  }
}

}  // namespace
}  // namespace ferrite::policy
