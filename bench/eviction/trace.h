#pragma once

// A trace: which keys are asked for, in order, and how large their values are.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ferrite::bench {

struct Request {
  uint32_t key;  // an index: keys are numbered from 0 in the order of their first request
  uint32_t value_bytes;
};

struct Trace {
  std::vector<Request> requests;
  // The bytes of each key.
  std::vector<std::string> keys;
  // Bytes of the values of all keys, by their first request.
  uint64_t footprint_bytes = 0;

  std::string_view key(const Request& request) const { return keys[request.key]; }
};

// Numbers the keys of a trace that is being made. `Key` is what the source calls them by.
template <typename Key, typename Map>
class TraceBuilder {
 public:
  // `name` makes the bytes of a key that is new.
  template <typename Name>
  void Add(const Key& key, uint32_t value_bytes, Name name) {
    const auto [it, is_new] = numbers_.try_emplace(key, static_cast<uint32_t>(numbers_.size()));
    if (is_new) {
      trace_.keys.push_back(name(key));
      trace_.footprint_bytes += value_bytes;
    }
    trace_.requests.push_back({it->second, value_bytes});
  }
  size_t size() const { return trace_.requests.size(); }
  Trace Take() { return std::move(trace_); }

 private:
  Map numbers_;
  Trace trace_;
};

}  // namespace ferrite::bench
