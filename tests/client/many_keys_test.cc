// Commands about more keys than fit into one call, and keys of any bytes on the way from one
// command to the other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

constexpr int kMany = 2500;  // more than two batches

class ManyKeysTest : public CliTest {
 protected:
  // A pipe of commands, which finds "ferrite".
  static Result Shell(const std::string& script, const std::string& input = "") {
    return RunCommand(
        {"bash", "-o", "pipefail", "-c", "PATH=${0%/*}:$PATH; " + script, FERRITE_CLI_PATH}, input,
        {"FERRITE_SERVER=" + server_->address()});
  }
  // key:0, key:1, ..., each followed by `separator`.
  static std::string Keys(char separator = '\n') {
    std::string keys;
    for (int i = 0; i < kMany; ++i) keys += "key:" + std::to_string(i) + separator;
    return keys;
  }
  // Writes all of them, each with itself as its value.
  static void WriteKeys() {
    std::vector<std::string> mset = {"mset"};
    for (int i = 0; i < kMany; ++i) {
      mset.insert(mset.end(), 2, "key:" + std::to_string(i));
    }
    const Result set = Ferrite(mset);
    ASSERT_EQ(set.exit_code, 0) << set.err;
    ASSERT_EQ(set.out, "stored 2500 of 2500\n");
  }
};

TEST_F(ManyKeysTest, GoInSeveralCalls) {
  WriteKeys();
  const Result exists = Ferrite({"exists", "--stdin"}, Keys());
  EXPECT_EQ(exists.exit_code, 0) << exists.err;
  EXPECT_EQ(std::count(exists.out.begin(), exists.out.end(), '\n'), kMany);
  const nlohmann::json mget = Ferrite({"mget", "--stdin", "--json"}, Keys()).Json()["results"];
  ASSERT_EQ(mget.size(), static_cast<size_t>(kMany));
  EXPECT_EQ(mget[0]["value"], "key:0");
  EXPECT_EQ(mget[2499]["value"], "key:2499");
  EXPECT_EQ(Shell("ferrite scan key: | xargs ferrite del").out, "deleted 2500 of 2500\n");
  EXPECT_EQ(Ferrite({"scan"}).out, "");
}

TEST_F(ManyKeysTest, AValueThatNeverEndsIsNotReadForEver) {
  for (const char* command : {"set endless -", "publish endless -"}) {
    const Result run = Shell(std::string("ferrite ") + command + " < /dev/zero");
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.err, testing::HasSubstr("the standard input has more than 67108864 bytes"));
  }
}

TEST_F(ManyKeysTest, AreReadFromTheStandardInput) {
  EXPECT_EQ(Ferrite({"mset", "--stdin"}, "a\n1\nb\n2\n").out, "stored 2 of 2\n");
  EXPECT_EQ(Ferrite({"get", "--stdin"}, "b\na").out, "2\n1\n");
  EXPECT_EQ(Ferrite({"get", "--stdin", "-0"}, "b\0a\0"s).out, "2\0001\0"s);
  EXPECT_EQ(Ferrite({"mget", "--stdin", "-0"}, "b\0a\0"s).out, "b\0002\0a\0001\0"s);
  EXPECT_EQ(Ferrite({"get", "--stdin"}, "b\nmissing\n").exit_code, 1);
  EXPECT_EQ(Ferrite({"del", "--stdin"}, "a\nb\n").out, "deleted 2 of 2\n");
  EXPECT_EQ(Ferrite({"del", "--stdin"}, "").out, "deleted 0 of 0\n");
  EXPECT_EQ(Ferrite({"exists", "--stdin", "--json"}, "").out, "{\"results\":[]}\n");
  EXPECT_THAT(Ferrite({"mset", "--stdin"}, "a\n1\nb\n").err,
              HasSubstr("the last key has no value"));
}

TEST_F(ManyKeysTest, OfAnyBytesPassFromScanToTheOthers) {
  const std::string odd[] = {"a b",      "a\nb", "a\tb",   "\"q\"", "'",    "\\n",
                             "\xff\xfe", "-x",   "--json", "[1,2]", "$(id)"};
  const auto write = [&] {
    std::string pairs;
    for (const std::string& key : odd) pairs += key + '\0' + "value of " + key + '\0';
    ASSERT_EQ(Ferrite({"mset", "--stdin", "--null"}, pairs).exit_code, 0);
  };
  write();
  EXPECT_EQ(Shell("ferrite scan -0 | xargs -0 ferrite del --").out, "deleted 11 of 11\n");
  write();
  EXPECT_EQ(Shell("ferrite scan --null | ferrite del --stdin --null").out, "deleted 11 of 11\n");
  write();
  ASSERT_EQ(Ferrite({"mset", "--stdin", "--escapes"}, "nul\\x00key\n1\n").exit_code, 0);
  EXPECT_EQ(Shell("ferrite scan | ferrite del --stdin --escapes").out, "deleted 12 of 12\n");
}

TEST_F(ManyKeysTest, ThatCannotBeToldApartAreLeftOutAndTold) {
  ASSERT_EQ(Ferrite({"mset", "--escapes", "a\\x00b", "1", "c\\nd", "2", "e", "3"}).exit_code, 0);
  const Result null = Ferrite({"scan", "-0"});
  EXPECT_EQ(null.exit_code, 2);
  EXPECT_EQ(null.out.size(), "c\nd"s.size() + "e"s.size() + 2);
  EXPECT_THAT(null.err, HasSubstr("1 entry has a NUL"));
  const Result raw = Ferrite({"scan", "--raw", "c"});
  EXPECT_EQ(raw.out, "");
  EXPECT_THAT(raw.err, HasSubstr("1 entry has a line feed"));
  EXPECT_EQ(Ferrite({"scan", "--raw", "e"}).out, "e\n");
  EXPECT_EQ(Ferrite({"scan", "-0", "--values", "c"}).out, "c\nd\0002\0"s);
}

TEST_F(ManyKeysTest, ThatAreNoneAreNamedAndWhatWasDoneIsTold) {
  WriteKeys();
  const Result empty = Ferrite({"del", "--stdin"}, Keys() + "\nlast\n");
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("record 2501 of the standard input is empty; the 2,500 keys "
                                   "before were handled, 2,500 of them deleted"));
  const Result large = Ferrite({"exists", "--stdin"}, "k\n" + std::string(4097, 'x'));
  EXPECT_THAT(large.err, HasSubstr("record 2 of the standard input has 4097 bytes; a key has at "
                                   "most 4096"));
  EXPECT_EQ(large.out, "k: no\n");
  const Result escape = Ferrite({"exists", "--stdin", "--escapes"}, "\\q\n");
  EXPECT_THAT(escape.err, HasSubstr("record 1 of the standard input: "));
}

TEST_F(ManyKeysTest, WithLargeValuesAreAskedForInFewer) {
  const std::string value(1 << 20, 'v');
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    ASSERT_EQ(Ferrite({"set", key, "-"}, value).exit_code, 0);
  }
  const Result mget = Ferrite({"mget", "a", "b", "c", "d", "e", "missing"});
  EXPECT_EQ(mget.exit_code, 1) << mget.err;
  EXPECT_EQ(mget.out.size(), 5 * (value.size() + "a: \n"s.size()));
  std::string pairs;
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) pairs += key + ("\n" + value + "\n");
  EXPECT_EQ(Ferrite({"mset", "--stdin"}, pairs).out, "stored 6 of 6\n");
}

TEST_F(ManyKeysTest, ScanTakesItsPrefixAsAnArgument) {
  ASSERT_EQ(Ferrite({"mset", "user:1", "x", "other", "y"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"scan", "user:"}).out, "user:1\n");
  EXPECT_EQ(Ferrite({"scan", "--prefix=user:"}).out, "user:1\n");
  EXPECT_EQ(Ferrite({"scan", "a", "--prefix", "b"}).exit_code, 2);
}

TEST_F(ManyKeysTest, AReaderThatLeavesEndsScanSilently) {
  WriteKeys();
  const Result run = Shell("ferrite scan --values | head -n 1 | wc -l; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, testing::AnyOf("1\n141\n", "1\n0\n")) << "0 if all fits into the pipe";
  const Result gone = Shell("ferrite get key:1 > >(exec true) ; true");
  EXPECT_EQ(gone.err, "");
}

}  // namespace
}  // namespace ferrite
