// The formats that `ferrite load` reads.

#include "client/cli/load/entry_reader.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/cli/load/csv.h"

namespace ferrite::cli {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

// Everything that a reader of `format` makes of `content`, a line each.
std::vector<std::string> ReadAll(std::string_view format, const std::string& content) {
  const int file = memfd_create("entries", MFD_CLOEXEC);
  EXPECT_EQ(write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  lseek(file, 0, SEEK_SET);
  const std::unique_ptr<EntryReader> reader =
      MakeEntryReader(format, RecordReader(file, '\n', 1000));
  std::vector<std::string> told;
  FileEntry entry;
  while (true) {
    const absl::StatusOr<bool> more = reader->Next(&entry);
    if (more.ok() && !*more) break;
    const std::string line = std::to_string(reader->line()) + ": ";
    if (!more.ok()) {
      told.push_back(line + std::string(more.status().message()));
      if (!absl::IsInvalidArgument(more.status())) break;
      continue;
    }
    told.push_back(line + entry.key + "=" + entry.value);
    if (entry.ttl_ms.has_value()) told.back() += " " + std::to_string(*entry.ttl_ms);
  }
  close(file);
  return told;
}

TEST(EntryReaderTest, ReadsWhatScanPrintsAsJson) {
  EXPECT_THAT(
      ReadAll("json", R"({"key":"a","version":"5","ttl_ms":null,"value":"1"}
{"key":{"base64":"AP8="},"value":"x","ttl_ms":"9007199254740993"}

{"key":"b","value":{"base64":"AAo="},"ttl_ms":5})"),
      ElementsAre("1: a=1", "2: a time to live of 9007199254740993 ms is not 1 ms to 100 years",
                  "4: b=\0\n 5"s));
}

TEST(EntryReaderTest, SaysWhatIsWrongWithJson) {
  EXPECT_THAT(
      ReadAll("json", R"({"key":"a"
[]
{"key":"a"}
{"value":"a"}
{"key":1,"value":"a"}
{"key":"a","value":{"base64":"?"}}
{"key":"a","value":"","ttl_ms":"soon"}
{"key":"a","found":false}
)"),
      ElementsAre("1: it is no JSON object", "2: it is no JSON object", "3: it has no \"value\"",
                  "4: it has no \"key\"",
                  R"(5: its "key" is neither a string nor {"base64": "..."})",
                  "6: \"?\" is not base64", "7: its \"ttl_ms\" is no whole number, or too large",
                  "8: it is a miss: there is no value"));
}

TEST(EntryReaderTest, ReadsCsv) {
  EXPECT_THAT(
      ReadAll("csv", "\xef\xbb\xbfkey,value,ttl\r\na,1\r\n\"b,\"\"c\",\"two\nlines\",30s\nd,,\n"),
      ElementsAre("2: a=1", "3: b,\"c=two\nlines 30000", "5: d="));
  EXPECT_THAT(ReadAll("csv", "a\na,b,c,d\na,1,soon\na,1,0\n\"a\"b,1\n\"open"),
              ElementsAre("1: it has 1 fields, not key,value or key,value,ttl",
                          "2: it has 4 fields, not key,value or key,value,ttl",
                          "3: \"soon\" is not a duration such as 250us, 10ms, 1.5s, 1h30m, 7d or 0",
                          "4: a time to live of 0 ms is not 1 ms to 100 years",
                          "5: something follows a quoted field", "6: a quote is not closed"));
}

TEST(EntryReaderTest, ReadsAFieldOfManyLinesInOnePass) {
  // A pass for each line would look at 2^36 bytes.
  std::string value;
  for (int i = 0; i < 1 << 18; ++i) value += "\n";
  CsvRecord record;
  ASSERT_EQ(record.Add("key,\"").value(), false);
  for (size_t i = 1; i < value.size(); ++i) ASSERT_EQ(record.Add("").value(), false);
  ASSERT_EQ(record.Add("\"").value(), true);
  EXPECT_THAT(record.fields(), ElementsAre("key", value));
}

TEST(EntryReaderTest, ReadsTsvWithEscapes) {
  EXPECT_THAT(ReadAll("tsv", "a\\tb\t\\xff\\\\\nc\t1\t5m\r\nd\ne\t\\q\n"),
              ElementsAre("1: a\tb=\xff\\", "2: c=1 300000",
                          "3: it has 1 fields, not a key, a value and perhaps a ttl",
                          "4: \"\\q\" has a backslash that begins none of the escapes \\n, \\r, "
                          "\\t, \\\\ and \\xff"));
}

TEST(EntryReaderTest, ReadsWhatLiesBetweenNuls) {
  EXPECT_THAT(ReadAll("nul", "a\0001\n\0b\0\0c\0"s),
              ElementsAre("1: a=1\n", "3: b=", "5: the last key has no value"));
}

TEST(EntryReaderTest, HoldsNoRecordThatIsTooLong) {
  EXPECT_THAT(ReadAll("json", std::string(1001, 'x') + "\n{}"),
              ElementsAre("0: it is longer than 1000 bytes, the limit"));
}

TEST(FormatOfTest, GoesByNameThenByContent) {
  EXPECT_EQ(FormatOf("a/dump.jsonl", "a,b"), "json");
  EXPECT_EQ(FormatOf("a.csv", "{"), "csv");
  EXPECT_EQ(FormatOf("a.tsv", ""), "tsv");
  EXPECT_EQ(FormatOf("-", "{\"key\""), "json");
  EXPECT_EQ(FormatOf("-", "a\tb,c\n"), "tsv");
  EXPECT_EQ(FormatOf("-", "a,b\nc\td"), "csv");
  EXPECT_EQ(FormatOf("-", "a\0{\0"s), "nul");
  EXPECT_EQ(FormatOf("-", "a b\n"), "");
}

TEST(FormatOfTest, TakesBinariesForNothing) {
  EXPECT_EQ(FormatOf("-", "a\0\xff\0b\0\0c"s), "nul") << "a value may be empty, and any bytes";
  EXPECT_EQ(FormatOf("-", "a\0b\0\0c\0"s), "") << "a key may not be empty";
  EXPECT_EQ(FormatOf("-", "a\xff\0b\0"s), "");
  EXPECT_EQ(FormatOf("-", "a\x01\0b\0"s), "");
  EXPECT_EQ(FormatOf("program", "\x7f\x45LF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0"s), "");
}

}  // namespace
}  // namespace ferrite::cli
