#pragma once

// Who made a call, and what came with it beside its messages.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite {

// The names in a certificate (subject alternative names) that was verified, in its order.
struct CertificateNames {
  std::vector<std::string_view> uris;
  std::vector<std::string_view> dns;
};

// Valid for as long as its call. Used on the thread that serves the call.
class Caller {
 public:
  using Clock = std::chrono::steady_clock;

  // When the caller stops waiting; Clock::time_point::max() if it set no deadline.
  virtual Clock::time_point deadline() const = 0;
  // Where the call came from, such as "ipv4:127.0.0.1:50000".
  virtual std::string peer() const = 0;
  // A number that all calls of one connection have in common, and no others at that time.
  virtual uint64_t connection() const { return 0; }
  // The value of a metadata entry, by its name in lower case; absent if there is none, or more than
  // one.
  virtual std::optional<std::string_view> Metadata(std::string_view name) const = 0;
  // Whether there is one or more.
  virtual bool HasMetadata(std::string_view name) const { return Metadata(name).has_value(); }
  // Of the certificate that its connection was opened with; none without one.
  virtual CertificateNames certificate_names() const { return {}; }
  // Whether its connection came in on the listener of administrators, if there is one.
  virtual bool is_administrators() const { return false; }

  // The namespace that the call is about (namespace_name.h), once that was found out; null:
  // `default`.
  const std::string* name_space() const { return name_space_; }
  void SetNamespace(const std::string* name) const { name_space_ = name; }

 protected:
  ~Caller() = default;

 private:
  mutable const std::string* name_space_ = nullptr;
};

// The caller for whom this thread is at work; null if it is for none. For what depends on who calls
// in the depths of a handler.
inline constinit thread_local const Caller* current_caller = nullptr;

// Makes it the current one for the length of a scope.
class CallerScope {
 public:
  explicit CallerScope(const Caller* caller) : before_(current_caller) { current_caller = caller; }
  ~CallerScope() { current_caller = before_; }
  CallerScope(const CallerScope&) = delete;
  CallerScope& operator=(const CallerScope&) = delete;

 private:
  const Caller* const before_;
};

}  // namespace ferrite
