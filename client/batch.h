#pragma once

// The requests and responses of the batch RPCs (MGet, MSet, MDelete, Exists) behind one interface,
// so that the same code splits any batch by node and merges the answers in the order of the
// request.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/error.h"
#include "ferrite/v1/cache.pb.h"
#include "proto/may_be_done.h"

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

// The items at `positions` of `request` as a request of their own.
template <class Request>
Request CopyItems(Request& request, const std::vector<int>& positions) {
  Request part;
  for (const int position : positions) *BatchItems(part).Add() = BatchItems(request)[position];
  return part;
}

// Sets the error of one key. Those of a key that has one already count less.
template <class Response>
void PutError(int position, v1::OperationError error, Response* response) {
  v1::KeyError* const added = response->add_errors();
  added->set_index(position);
  *added->mutable_error() = std::move(error);
}
inline void PutError(int position, v1::OperationError error, v1::MSetResponse* response) {
  *(*response->mutable_results())[position].mutable_error() = std::move(error);
}

// Takes the errors of keys out of a response, with their places in it.
using KeyErrors = std::vector<std::pair<int, v1::OperationError>>;
template <class Response>
KeyErrors TakeErrors(Response* response) {
  KeyErrors errors;
  for (v1::KeyError& error : *response->mutable_errors()) {
    errors.emplace_back(static_cast<int>(error.index()), std::move(*error.mutable_error()));
  }
  response->clear_errors();
  return errors;
}
inline KeyErrors TakeErrors(v1::MSetResponse* response) {
  KeyErrors errors;
  for (int i = 0; i < response->results_size(); ++i) {
    v1::MSetResult& result = *response->mutable_results(i);
    if (result.has_error()) errors.emplace_back(i, std::move(*result.mutable_error()));
  }
  return errors;
}

// As the server does it: errors in order; if each key has one, the call has failed with one of
// them.
template <class Response>
absl::StatusOr<Response> Finished(Response response) {
  auto& errors = *response.mutable_errors();
  std::sort(errors.begin(), errors.end(),
            [](const auto& a, const auto& b) { return a.index() < b.index(); });
  if (errors.size() == BatchItems(response).size()) return ToAbslStatus(ErrorOfAll(errors));
  return response;
}
inline absl::StatusOr<v1::MSetResponse> Finished(v1::MSetResponse response) { return response; }

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
