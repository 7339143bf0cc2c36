#include "client/cli/bench/client_call.h"

namespace ferrite::cli {

std::unique_ptr<Client> ClientWith(const BenchOptions& options, int connections) {
  ClientOptions client_options;
  client_options.seeds = {options.server};
  client_options.default_timeout = options.call_timeout;
  client_options.channels_per_node = connections;
  return *Client::Create(client_options);  // the flags have been checked
}

}  // namespace ferrite::cli
