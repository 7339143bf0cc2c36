#include "client/cli/load/json_reader.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/load/line_reader.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {
namespace {

using Json = nlohmann::json;

class JsonReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  static absl::Status ReadBytes(const Json& object, const char* name, std::string* bytes) {
    const auto field = object.find(name);
    if (field == object.end()) return NoEntry(absl::StrCat("it has no \"", name, "\""));
    if (field->is_string()) {
      *bytes = field->get_ref<const std::string&>();
      return absl::OkStatus();
    }
    const auto base64 = field->is_object() ? field->find("base64") : field->end();
    if (!field->is_object() || base64 == field->end() || !base64->is_string()) {
      return NoEntry(
          absl::StrCat("its \"", name, R"(" is neither a string nor {"base64": "..."})"));
    }
    absl::StatusOr<std::string> decoded =
        DecodeArgument(base64->get_ref<const std::string&>(), /*base64=*/true);
    if (!decoded.ok()) return decoded.status();
    *bytes = *std::move(decoded);
    return absl::OkStatus();
  }

  static absl::Status ReadTtlMs(const Json& object, FileEntry* entry) {
    const auto field = object.find("ttl_ms");
    if (field == object.end() || field->is_null()) return absl::OkStatus();
    // The digits of a number: one beyond int64 would get another value.
    const std::string digits = field->is_string() ? field->get<std::string>() : field->dump();
    int64_t ttl_ms = 0;
    if (!absl::SimpleAtoi(digits, &ttl_ms)) {
      return NoEntry("its \"ttl_ms\" is no whole number, or too large");
    }
    entry->ttl_ms = ttl_ms;
    return CheckTtl(ttl_ms);
  }

  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    const Json object = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return NoEntry("it is no JSON object");
    const auto found = object.find("found");
    if (found != object.end() && *found == false) return NoEntry("it is a miss: there is no value");
    if (absl::Status status = ReadBytes(object, "key", &entry->key); !status.ok()) return status;
    if (absl::Status status = ReadBytes(object, "value", &entry->value); !status.ok()) {
      return status;
    }
    if (absl::Status status = ReadTtlMs(object, entry); !status.ok()) return status;
    return true;
  }
};

}  // namespace

std::unique_ptr<EntryReader> MakeJsonReader(RecordReader records) {
  return std::make_unique<JsonReader>(std::move(records));
}

}  // namespace ferrite::cli
