#include "server/net/http_endpoint.h"

#include <CivetServer.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite {

// One page: a function that says what to answer to GET.
class HttpEndpoint::Page final : public CivetHandler {
 public:
  using Answer = std::function<std::pair<int, std::string>()>;  // status and body
  explicit Page(Answer answer) : answer_(std::move(answer)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    const auto [status, body] = answer_();
    mg_printf(connection,
              "HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
              "Content-Length: %zu\r\nConnection: close\r\n\r\n",
              status, mg_get_response_code_text(connection, status), body.size());
    mg_write(connection, body.data(), body.size());
    return true;
  }

 private:
  const Answer answer_;
};

HttpEndpoint::~HttpEndpoint() = default;

absl::StatusOr<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Start(
    const Address& address, std::vector<const prometheus::Collectable*> metrics) {
  std::unique_ptr<HttpEndpoint> endpoint(new HttpEndpoint());
  endpoint->address_ = address;
  const std::vector<std::string> options = {"listening_ports",
                                            address.ToString(),
                                            "num_threads",
                                            "8",
                                            "request_timeout_ms",
                                            "5000",
                                            "enable_directory_listing",
                                            "no"};
  try {
    endpoint->server_ = std::make_unique<CivetServer>(options);
  } catch (const CivetException&) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve HTTP on ", address.ToString(), ": is the address in use?"));
  }
  const std::vector<int> ports = endpoint->server_->getListeningPorts();
  if (!ports.empty()) endpoint->address_.port = ports[0];

  const auto add = [&](const char* path, Page::Answer answer) {
    endpoint->pages_.push_back(std::make_unique<Page>(std::move(answer)));
    // Without the '$' civetweb takes it for the beginning of a path.
    endpoint->server_->addHandler(absl::StrCat(path, "$"), endpoint->pages_.back().get());
  };
  add("/metrics", [metrics = std::move(metrics)] {
    std::ostringstream text;
    for (const prometheus::Collectable* each : metrics)
      prometheus::TextSerializer().Serialize(text, each->Collect());
    return std::pair{200, text.str()};
  });
  add("/healthz", [] { return std::pair{200, std::string("ok\n")}; });
  add("/readyz", [raw = endpoint.get()] {
    return raw->ready_ ? std::pair{200, std::string("ready\n")}
                       : std::pair{503, std::string("not ready\n")};
  });
  return endpoint;
}

}  // namespace ferrite
