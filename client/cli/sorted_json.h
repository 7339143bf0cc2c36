#pragma once

// Maps of protobuf, which have no order, as JSON.

#include <map>

#include "nlohmann/json.hpp"

namespace ferrite::cli {

// An object with the entries of `map`, sorted by their names.
template <class Map>
nlohmann::ordered_json SortedJson(const Map& map) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : std::map(map.begin(), map.end())) object[name] = value;
  return object;
}

}  // namespace ferrite::cli
