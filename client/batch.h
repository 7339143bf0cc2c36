#pragma once

// The requests and responses of the batch RPCs (MGet, MSet, MDelete, Exists) behind one interface,
// so that the same code splits any batch by node and merges the answers in the order of the
// request.

#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"

namespace ferrite {

inline auto& BatchItems(v1::MGetRequest& request) { return *request.mutable_keys(); }
inline auto& BatchItems(v1::MDeleteRequest& request) { return *request.mutable_keys(); }
inline auto& BatchItems(v1::ExistsRequest& request) { return *request.mutable_keys(); }
inline auto& BatchItems(v1::MSetRequest& request) { return *request.mutable_entries(); }

inline auto& BatchItems(v1::MGetResponse& response) { return *response.mutable_results(); }
inline auto& BatchItems(v1::MSetResponse& response) { return *response.mutable_results(); }
inline auto& BatchItems(v1::MDeleteResponse& response) { return *response.mutable_deleted(); }
inline auto& BatchItems(v1::ExistsResponse& response) { return *response.mutable_exists(); }

inline const std::string& KeyOf(const std::string& key) { return key; }
inline const std::string& KeyOf(const v1::SetRequest& entry) { return entry.key(); }

// Moves the items at `positions` of `request` into a request of their own.
template <class Request>
Request TakeItems(Request& request, const std::vector<int>& positions) {
  Request part;
  for (const int position : positions) {
    *BatchItems(part).Add() = std::move(BatchItems(request)[position]);
  }
  return part;
}

template <class Response>
Response EmptyAnswers(int count) {
  Response response;
  for (int i = 0; i < count; ++i) BatchItems(response).Add();
  return response;
}
template <>
inline v1::MDeleteResponse EmptyAnswers(int count) {
  v1::MDeleteResponse response;
  response.mutable_deleted()->Resize(count, false);
  return response;
}
template <>
inline v1::ExistsResponse EmptyAnswers(int count) {
  v1::ExistsResponse response;
  response.mutable_exists()->Resize(count, false);
  return response;
}

// Moves answer i of `part` to positions[i] of `response`. The part must have as many answers as
// there are positions.
template <class Response>
void PutAnswers(Response& part, const std::vector<int>& positions, Response* response) {
  for (size_t i = 0; i < positions.size(); ++i) {
    BatchItems(*response)[positions[i]] = std::move(BatchItems(part)[static_cast<int>(i)]);
  }
}

}  // namespace ferrite
