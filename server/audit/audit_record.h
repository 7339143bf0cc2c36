#pragma once

// One line of the audit log.

#include <chrono>
#include <string>
#include <string_view>

namespace ferrite {

struct AuditRecord {
  std::string_view event;  // denied, admin_call, policy_changed, token_issued
  std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
  // What is empty is left out.
  std::string principal;
  std::string_view credential;  // certificate, token, jwt, disposable or none
  std::string peer;
  std::string trace;  // W3C traceparent
  std::string method;
  std::string name_space;
  std::string verbs;
  // Of the key, channel or prefix: the first 16 hexadecimal digits of its SHA-256. Who knows a key
  // finds it; who reads the file does not learn it.
  std::string name_sha256;
  std::string reason;
  std::string details;
};

// As a JSON object, without the line feed.
std::string ToJson(const AuditRecord& record);
// Says that so many records found no room before.
std::string DroppedToJson(uint64_t count, std::chrono::system_clock::time_point time);

}  // namespace ferrite
