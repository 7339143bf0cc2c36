// Fields, one by one, compared with what protobuf makes of them.

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "tests/proto/wire_bytes.h"

namespace ferrite {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

std::vector<uint64_t> Integers() {
  std::vector<uint64_t> integers = {0, 1};
  for (int bits = 1; bits < 64; ++bits) {
    for (const int offset : {-1, 0, 1}) integers.push_back((uint64_t{1} << bits) + offset);
  }
  integers.push_back(UINT64_MAX);
  return integers;
}

TEST(FieldWriterTest, SizesAndBytesAreThoseOfProtobuf) {
  for (const uint64_t value : Integers()) {
    EXPECT_EQ(VarintSize(value), CodedOutputStream::VarintSize64(value)) << value;
    for (const int number : {1, 15, 16, 2047, 2048, (1 << 29) - 1}) {
      std::string expected(30, '\0');
      auto* const begin = reinterpret_cast<uint8_t*>(expected.data());
      expected.resize(WireFormatLite::WriteUInt64ToArray(number, value, begin) - begin);
      ASSERT_EQ(IntegerFieldSize(number, value), expected.size());
      std::string written(expected.size(), '\0');
      FieldWriter writer(written.data());
      writer.Integer(number, value);
      EXPECT_EQ(written, expected);
      EXPECT_EQ(reinterpret_cast<char*>(writer.at()), written.data() + written.size());
    }
  }
}

TEST(FieldReaderTest, ReadsBackEachKindOfField) {
  const std::string content(200, 'c');
  for (const uint64_t value : Integers()) {
    for (const int number : {1, 16, 100'000}) {
      const size_t size = IntegerFieldSize(number, value) + Fixed64FieldSize(number) +
                          BytesFieldSize(number, content);
      std::string message(size, '\0');
      FieldWriter writer(message.data());
      writer.Integer(number, value);
      writer.Fixed64(number, value);
      writer.Bytes(number, content);
      FieldReader field(message);
      ASSERT_TRUE(field.Next());
      EXPECT_TRUE(field.IsInteger(number));
      EXPECT_FALSE(field.Is(number));
      EXPECT_FALSE(field.IsInteger(number + 1));
      EXPECT_EQ(field.integer(), value);
      ASSERT_TRUE(field.Next());
      EXPECT_TRUE(field.IsFixed64(number));
      EXPECT_FALSE(field.holds_bytes());
      EXPECT_EQ(field.fixed64(), value);
      ASSERT_TRUE(field.Next());
      EXPECT_TRUE(field.Is(number));
      EXPECT_TRUE(field.holds_bytes());
      EXPECT_EQ(field.number(), number);
      EXPECT_EQ(field.bytes(), content);
      EXPECT_FALSE(field.Next());
      EXPECT_TRUE(field.well_formed());
    }
  }
}

TEST(FieldReaderTest, KnowsAMessageThatIsCutOff) {
  const std::string message = UnknownFields();
  int whole = 0;
  for (size_t size = 0; size <= message.size(); ++size) {
    FieldReader field(std::string_view(message).substr(0, size));
    while (field.Next()) {
    }
    whole += field.well_formed();
  }
  EXPECT_EQ(whole, 5);  // before, between and after its four fields
}

TEST(FieldReaderTest, RefusesWhatProtobufRefuses) {
  using namespace std::string_literals;
  for (const std::string& bytes : {
           "\x00\x01"s,                                          // number 0
           "\x0b\x14"s,                                          // a group with another end
           "\x0b\x1b\x0c\x1c"s,                                  // groups that cross
           "\x0b\x08\x01"s,                                      // a group without an end
           "\x0c"s,                                              // an end without a group
           "\x0b\x02\x00\x0c"s,                                  // number 0 in a group
           "\x8a\x80\x80\x80\x80\x00\x00"s,                      // a tag of six bytes
           "\x0a\x80\x80\x80\x80\x80\x00"s,                      // a size of six bytes
           "\x0f"s,                                              // no such type
           "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,  // an integer of eleven bytes
           "\xff\xff\xff\xff\xff\x01\x00"s,                      // a tag beyond 32 bits
           "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,      // a size of nearly 2^64
       }) {
    FieldReader field(bytes);
    EXPECT_FALSE(field.Next());
    EXPECT_FALSE(field.well_formed());
    EXPECT_FALSE(v1::MGetRequest().ParseFromString(bytes));
  }
  const std::string nested = std::string(101, '\x0b') + std::string(101, '\x0c');
  FieldReader deep(nested);
  EXPECT_FALSE(deep.Next());
  EXPECT_FALSE(v1::MGetRequest().ParseFromString(nested));
}

TEST(FieldReaderTest, TakesWhatProtobufTakes) {
  using namespace std::string_literals;
  const std::string nested(100, '\x0b');
  const std::string ends(100, '\x0c');
  for (const std::string& bytes : {
           "\x0b\x0c"s,                           // a group
           "\x0b\x08\x01\x1b\x12\x01x\x1c\x0c"s,  // one with fields and a group in it
           nested + ends,                         // as many as may be
           "\x8a\x80\x80\x80\x00\x01k"s,          // a tag of five bytes
           "\x8a\x80\x80\x80\x70\x01k"s,          // one with bits that have no place
           "\x0a\x81\x80\x80\x80\x00k"s,          // a size of five bytes
       }) {
    v1::MGetRequest expected;
    ASSERT_TRUE(expected.ParseFromString(bytes));
    int keys = 0;
    FieldReader field(bytes);
    while (field.Next()) keys += field.Is(v1::MGetRequest::kKeysFieldNumber);
    EXPECT_TRUE(field.well_formed());
    EXPECT_EQ(keys, expected.keys_size());
  }
}

}  // namespace
}  // namespace ferrite
