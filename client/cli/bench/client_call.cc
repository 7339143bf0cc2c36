#include "client/cli/bench/client_call.h"

#include <algorithm>

namespace ferrite::cli {

std::unique_ptr<Client> ClientWith(const BenchOptions& options, int connections) {
  ClientOptions client_options;
  client_options.seeds = options.servers;
  client_options.tls = options.tls;
  client_options.token = options.token;
  client_options.name_space = options.name_space;
  client_options.default_timeout = options.call_timeout;
  client_options.channels_per_node = connections;
  return *Client::Create(client_options);  // the flags have been checked
}

CallKeys KeysOf(const v1::MGetResponse& response) {
  const auto& results = response.results();
  const auto found = [](const v1::GetResponse& read) { return read.found(); };
  return {.keys = static_cast<uint64_t>(results.size()),
          .hits = static_cast<uint64_t>(std::count_if(results.begin(), results.end(), found))};
}

CallKeys KeysOf(const v1::MSetResponse& response) {
  const auto& results = response.results();
  const auto written = [](const v1::MSetResult& write) { return !write.has_error(); };
  return {.keys = static_cast<uint64_t>(std::count_if(results.begin(), results.end(), written))};
}

}  // namespace ferrite::cli
