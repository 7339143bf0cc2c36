"""How long a Get and a health check wait while the server deletes everything it holds."""

import contextlib
import time

import probers
import stalls
from harness import builds, ferrite_json, servers

TITLE = "While a Flush runs"
TARGETS = ("bench-prober", "ferrite", "ferrite-server")
VALUE_BYTES = 64
AFTER_SECONDS = 0.5  # work that a Flush puts off counts as part of it
CAUSES = {"flush": "Flush"}
ASKED = {"get": "Get", "check": "health check"}


def add_arguments(parser):
    parser.add_argument("--flush-keys", type=int, default=2_500_000)


def _run_once(directory, threads, build_dir, arguments):
    server_cores, cores = stalls.cores(threads)
    windows = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            servers.ferrite(directory, "--max-memory=16GiB", threads=threads, cores=server_cores)
        )
        servers.fill_ferrite(build_dir, server, keys=arguments.flush_keys, value_size=VALUE_BYTES)
        time.sleep(arguments.settle_seconds)
        watching = probers.watching(
            stack, build_dir, server, cores=cores, asked={name: {"ask": name} for name in ASKED}
        )
        idle = probers.watch_nothing(arguments.idle_seconds)
        with probers.timed(windows):
            with probers.timed(windows):
                builds.command(directory, server, cores, "flush", "--yes")
            time.sleep(AFTER_SECONDS)
        calls = {name: prober.finish() for name, prober in watching.items()}
        stats = ferrite_json.parse(builds.command(directory, server, cores, "--json", "stats"))
        if stats["entries"] > 0:
            raise RuntimeError(f"{stats['entries']} entries are left after the Flush")
    flush, busy = windows
    seen = {name: each.stall(busy, idle) for name, each in calls.items()}
    return {"flush": flush.length() / 1e6}, {"flush": seen}


def measure(build_dir, arguments):
    return {
        "rounds": arguments.stall_rounds,
        "keys": arguments.flush_keys,
        "runs": stalls.measure(
            build_dir,
            arguments,
            lambda directory, threads: _run_once(directory, threads, build_dir, arguments),
        ),
    }


def ratios(figures):
    runs = figures["runs"]
    return {
        "flush_stall_get_ms": stalls.worst_ms(runs, CAUSES, "get"),
        "flush_stall_health_ms": stalls.worst_ms(runs, CAUSES, "check"),
    }


def markdown(figures):
    return f"""`ferrite flush` of {figures["keys"]:,} keys with values of {VALUE_BYTES} B, and the {AFTER_SECONDS:g} s after it. Rounds, each with
a new server: {figures["rounds"]}.

{stalls.EXPLANATION}

{stalls.table(figures["runs"], CAUSES, ASKED)}"""
