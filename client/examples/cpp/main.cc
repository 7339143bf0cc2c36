// Calls a Ferrite server: reads and writes, retries, many calls at once, a subscription, errors.
//
//   example [HOST:PORT]
//
// Connections, keepalive, deadlines and retries are the library's work: see ferrite/client.h.

#include <iostream>
#include <memory>
#include <string>

#include "ferrite/client.h"
#include "ferrite/future.h"

namespace {

using ferrite::Client;
using ferrite::Future;
using ferrite::FutureOf;
namespace v1 = ferrite::v1;

std::string OrAbsent(const v1::GetResponse& reply) {
  return reply.found() ? reply.value() : "absent";
}

absl::Status ReadAndWrite(Client& cache) {
  const auto written = cache.Set("user:1", "Ada", absl::Minutes(1));
  if (!written.ok()) return written.status();
  const auto hit = cache.Get("user:1");
  if (!hit.ok()) return hit.status();
  if (hit->found() && hit->version() == written->version()) {
    std::cout << "hit: " << hit->value() << ", at the version that was written\n";
  }
  const auto miss = cache.Get("user:2");
  if (!miss.ok()) return miss.status();  // a miss is no error: found is false
  if (!miss->found()) std::cout << "miss: user:2\n";
  return absl::OkStatus();
}

absl::Status Count(Client& cache) {
  // The id makes a retry safe: the server counts once, and repeats its first answer.
  v1::IncrRequest request;
  request.set_key("visits");
  request.set_initial(int64_t{1} << 53);
  request.set_request_id("visit-1");
  const auto first = cache.Incr(request);
  const auto repeated = cache.Incr(request);
  if (!first.ok()) return first.status();
  if (!repeated.ok()) return repeated.status();
  std::cout << "counter: " << first->value() << ", repeated: " << repeated->value() << "\n";

  const auto many = cache.MGet({"user:1", "user:2"});
  if (!many.ok()) return many.status();
  std::cout << "mget: " << OrAbsent(many->results(0)) << ", " << OrAbsent(many->results(1)) << "\n";
  return absl::OkStatus();
}

// Concurrent calls about single keys share frames of a Pipeline stream by themselves.
absl::Status ManyAtOnce(Client& cache) {
  v1::SetRequest set;
  set.set_key("user:1");
  set.set_value("Grace");
  v1::GetRequest get;
  get.set_key("user:1");
  auto stored =
      FutureOf<v1::SetResponse>([&](auto done) { cache.SetAsync(set, {}, std::move(done)); });
  auto read =
      FutureOf<v1::GetResponse>([&](auto done) { cache.GetAsync(get, {}, std::move(done)); });
  auto refused = FutureOf<v1::GetResponse>(
      [&](auto done) { cache.GetAsync(v1::GetRequest(), {}, std::move(done)); });
  if (stored.get().ok()) std::cout << "pipeline: stored\n";
  const auto reply = read.get();
  if (!reply.ok()) return reply.status();
  std::cout << "pipeline: " << reply->value() << "\n";
  std::cout << "pipeline: " << ferrite::ReasonOf(refused.get().status()) << "\n";
  return absl::OkStatus();
}

// The next message of a subscription, which reconnects and resumes by itself.
absl::Status NextMessage(Client& cache, ferrite::Subscription& news, const std::string& text) {
  while (true) {
    const auto event = news.Next(absl::Seconds(20));
    if (!event.ok()) return event.status();
    if (event->has_acknowledgement()) {  // from here on nothing is missed
      if (event->acknowledgement().resumed()) std::cout << "resumed\n";
      if (!text.empty()) cache.Publish("news", text).IgnoreError();
    } else if (event->has_message()) {
      std::cout << "message: " << event->message().payload() << "\n";
      return absl::OkStatus();
    } else if (event->has_discontinuity()) {
      std::cout << "something may be missing: read it anew\n";
    }
  }
}

absl::Status Subscribe(Client& cache) {
  v1::SubscribeRequest request;
  request.add_channels("news");
  auto news = cache.Subscribe(request);
  absl::Status status = NextMessage(cache, *news, "first");
  if (!status.ok()) return status;
  request.set_resume_token(news->resume_token());
  news.reset();
  cache.Publish("news", "second").IgnoreError();
  return NextMessage(cache, *cache.Subscribe(request), "");
}

absl::Status Refused(Client& cache) {
  const auto reply = cache.Get(std::string(5000, 'k'));
  if (reply.ok()) return absl::InternalError("such a key should be refused");
  std::cout << "refused: " << ferrite::ReasonOf(reply.status()) << "\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  ferrite::ClientOptions options;
  options.seeds = {argc > 1 ? argv[1] : "127.0.0.1:6380"};
  options.default_timeout = absl::Seconds(20);  // of a call, with its retries
  const auto client = Client::Create(options);
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  (*client)->Delete("visits").IgnoreError();
  for (const auto step : {ReadAndWrite, Count, ManyAtOnce, Subscribe, Refused}) {
    if (const absl::Status status = step(**client); !status.ok()) {
      std::cerr << status << "\n";
      return 1;
    }
  }
}
