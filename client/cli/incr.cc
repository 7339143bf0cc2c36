#include <limits>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/options.h"
#include "client/retry.h"

namespace ferrite::cli {
namespace {

struct IncrArguments {
  int sign = 1;
  std::string key;
  std::optional<int64_t> by;
  std::optional<int64_t> initial;
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  bool saturate = false;
  std::optional<absl::Duration> ttl;
  std::optional<absl::Duration> initial_ttl;
};

absl::StatusOr<v1::IncrRequest> MakeIncrRequest(const Session& session,
                                                const IncrArguments& arguments) {
  absl::StatusOr<std::string> key = session.Bytes(arguments.key);
  if (!key.ok()) return key.status();
  v1::IncrRequest request;
  request.set_key(*std::move(key));
  if (arguments.by.has_value() || arguments.sign < 0) {
    request.set_delta(arguments.sign * arguments.by.value_or(1));
  }
  if (arguments.initial.has_value()) request.set_initial(*arguments.initial);
  if (arguments.min.has_value()) request.set_min(*arguments.min);
  if (arguments.max.has_value()) request.set_max(*arguments.max);
  if (arguments.saturate) request.set_overflow(v1::OVERFLOW_POLICY_SATURATE);
  if (arguments.ttl.has_value()) request.set_ttl_ms(absl::ToInt64Milliseconds(*arguments.ttl));
  if (arguments.initial_ttl.has_value()) {
    request.set_initial_ttl_ms(absl::ToInt64Milliseconds(*arguments.initial_ttl));
  }
  request.set_request_id(NewRequestId());  // a retry must not count twice
  return request;
}

absl::StatusOr<ExitCode> RunIncr(Session& session, const IncrArguments& arguments) {
  const absl::StatusOr<v1::IncrRequest> request = MakeIncrRequest(session, arguments);
  if (!request.ok()) return request.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::IncrResponse> reply = (*client)->Incr(*request);
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson({{"key", JsonBytes(request->key())},
               {"value", reply->value()},
               {"version", reply->version()},
               {"ttl_ms", JsonTtl(*reply)},
               {"created", reply->created()},
               {"saturated", reply->saturated()}});
  } else {
    PrintLine(absl::StrCat(reply->value()));
  }
  return ExitCode::kOk;
}

void AddCounting(CLI::App& app, Session& session, int sign, const std::string& name,
                 const std::string& description, const std::string& what) {
  using Limits = std::numeric_limits<int64_t>;
  // The least int64 has no opposite.
  const int64_t least = sign < 0 ? -Limits::max() : Limits::min();
  auto incr = std::make_shared<IncrArguments>();
  incr->sign = sign;
  CLI::App* command = AddCommand(app, session, name, description, incr, RunIncr);
  command->add_option("KEY", incr->key, "The key")->required();
  CLI::Option* number =
      AddNumber<int64_t>(command, "NUMBER", &incr->by, what + "; may be negative; 1 if not given",
                         least, Limits::max());
  AddNumber<int64_t>(command, "--by", &incr->by, "The same", least, Limits::max())
      ->excludes(number);
  AddInteger(command, "--initial", &incr->initial,
             "What a new counter counts from; 0 if not given");
  AddInteger(command, "--min", &incr->min, "A step down does not go below this");
  AddInteger(command, "--max", &incr->max, "A step up does not go above this");
  command->add_flag("--saturate", incr->saturate, "Stop at the bound instead of failing");
  CLI::Option* ttl = AddTtl(command, "--ttl", &incr->ttl, "Let the counter expire after this time");
  AddTtl(command, "--initial-ttl", &incr->initial_ttl,
         "Like --ttl, but only if this call creates the counter")
      ->excludes(ttl);
}

}  // namespace

void AddIncr(CLI::App& app, Session& session) {
  AddCounting(app, session, 1, "incr", "Add to a counter and print the result", "What to add");
  AddCounting(app, session, -1, "decr", "Subtract from a counter and print the result",
              "What to subtract");
}

}  // namespace ferrite::cli
