#pragma once

// The commands of `ferrite`. Each function adds one of them, or one group, to the command line; the
// command, once chosen, sets Session::run. To add a command, write its function in a file of its
// own, declare it here and name it in command_line.cc.

#include <memory>

#include "CLI/CLI.hpp"
#include "client/cli/session.h"

namespace ferrite::cli {

void AddGet(CLI::App& app, Session& session);          // get
void AddSet(CLI::App& app, Session& session);          // set
void AddDelete(CLI::App& app, Session& session);       // del
void AddIncr(CLI::App& app, Session& session);         // incr, decr
void AddExists(CLI::App& app, Session& session);       // exists
void AddExpiry(CLI::App& app, Session& session);       // touch, expire, persist, ttl
void AddManyEntries(CLI::App& app, Session& session);  // mget, mset
void AddScan(CLI::App& app, Session& session);         // scan
void AddLoad(CLI::App& app, Session& session);         // load
void AddPublish(CLI::App& app, Session& session);      // publish
void AddSubscribe(CLI::App& app, Session& session);    // subscribe
void AddWatch(CLI::App& app, Session& session);        // watch
void AddNode(CLI::App& app, Session& session);         // info, ping
void AddStats(CLI::App& app, Session& session);        // stats
void AddTop(CLI::App& app, Session& session);          // top
void AddAuth(CLI::App& app, Session& session);         // auth
void AddPolicy(CLI::App& app, Session& session);       // policy
void AddConfig(CLI::App& app, Session& session);       // config
void AddCluster(CLI::App& app, Session& session);      // cluster
void AddSlowLog(CLI::App& app, Session& session);      // slowlog
void AddFlush(CLI::App& app, Session& session);        // flush
void AddBench(CLI::App& app, Session& session);        // bench
void AddRun(CLI::App& app, Session& session);          // run
void AddCompletion(CLI::App& app, Session& session);   // completion
void AddHelp(CLI::App& app, Session& session);         // help

// Adds the command `name`, which runs run(session, arguments) with the arguments that its options
// fill in. A member Check() of the arguments may throw what CLI11 throws.
template <class Arguments>
CLI::App* AddCommand(CLI::App& app, Session& session, const std::string& name,
                     const std::string& description, std::shared_ptr<Arguments> arguments,
                     absl::StatusOr<ExitCode> (*run)(Session& session,
                                                     const Arguments& arguments)) {
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();  // global options such as --json may follow the command
  command->ignore_case();  // GET k, as with other caches
  command->callback([&session, arguments, run] {
    if constexpr (requires { arguments->Check(); }) arguments->Check();
    session.run = [arguments, run](Session& s) { return run(s, *arguments); };
  });
  return command;
}

}  // namespace ferrite::cli
