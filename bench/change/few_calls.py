"""Server CPU per call when few are in flight, by number of serving threads."""

import contextlib
import os

from harness import builds, load, process, ready_server, servers, terminal

TITLE = "Few calls at a time"
TARGETS = ("bench-echo-server", "ferrite", "ferrite-server")
KEYS = 1000
VALUE_BYTES = 64

# {name: (label, connections, calls in flight on each)}
CALLERS = {
    "lone": ("one caller", 1, 1),
    "eight_shared": ("eight callers, one connection", 1, 8),
    "eight_own": ("eight callers, a connection each", 8, 1),
}
# {start of a ratio's name: the kinds of callers of which the worse counts}
WORSE_OF = {"lone_get": ("lone",), "eight_callers": ("eight_shared", "eight_own")}

# {name: (label, serving threads, whether they may use every core)}
PLACES = {
    "1": ("1 thread", 1, False),
    "2": ("2 threads", 2, False),
    "2_everywhere": ("2, any core", 2, True),
    "4": ("4 threads", 4, False),
    "4_everywhere": ("4, any core", 4, True),
}


def add_arguments(parser):
    parser.add_argument("--few-rounds", type=int, default=5)
    parser.add_argument("--few-seconds", type=float, default=0.4)


@contextlib.contextmanager
def _echo(build_dir, threads, cores):
    command = [build_dir / "bin" / "bench-echo-server", f"--threads={threads}"]
    with ready_server.running(*process.pinned(command, cores)) as server:
        yield server


def _start(stack, build_dir, arguments):
    """{"WHO, PLACE": server}"""
    server_cores, _ = load.split_cores()
    running = {}
    for place, (_, threads, everywhere) in PLACES.items():
        cores = os.sched_getaffinity(0) if everywhere else server_cores
        for who, directory in builds.directories(build_dir, arguments).items():
            server = stack.enter_context(
                servers.ferrite(directory, "--max-memory=64MiB", threads=threads, cores=cores)
            )
            servers.fill_ferrite(build_dir, server, keys=KEYS, value_size=VALUE_BYTES)
            running[f"{who}, {place}"] = server
        running[f"echo, {place}"] = stack.enter_context(_echo(build_dir, threads, cores))
    return running


def measure(build_dir, arguments):
    _, load_cores = load.split_cores()
    with contextlib.ExitStack() as stack:
        running = _start(stack, build_dir, arguments)
        turns = {
            f"{callers}, {name}": load.FerriteBench(
                build_dir / "bin" / "ferrite",
                server,
                cores=load_cores[-1:],
                mode="unary",
                connections=connections,
                in_flight=in_flight,
                threads=1,
                keys=KEYS,
                value_size=VALUE_BYTES,
            ).run
            for callers, (_, connections, in_flight) in CALLERS.items()
            for name, server in running.items()
        }
        outcomes = load.take_turns(
            turns,
            rounds=arguments.few_rounds,
            seconds=arguments.few_seconds,
            progress=terminal.Progress((arguments.few_rounds + 1) * len(turns)),
        )
    return {
        "rounds": arguments.few_rounds,
        "seconds": arguments.few_seconds,
        "outcomes": outcomes,
    }


def _worst(outcomes, callers, places, other):
    """The worst ratio of this tree's CPU in any of these places to that of `other`."""
    return max(
        builds.ratio(
            outcomes[f"{kind}, {builds.NOW}, {place}"], outcomes[f"{kind}, {other}"], "cpu_us"
        )
        for kind in callers
        for place in places
    )


def ratios(figures):
    outcomes = figures["outcomes"]
    found = {}
    for start, callers in WORSE_OF.items():
        for threads in ("2", "4"):
            places = (threads, f"{threads}_everywhere")
            found[f"{start}_cpu_{threads}_threads_vs_1"] = _worst(
                outcomes, callers, places, f"{builds.NOW}, 1"
            )
        found[f"{start}_cpu_vs_echo"] = _worst(outcomes, callers, ("1",), "echo, 1")
    return found


def markdown(figures):
    outcomes = figures["outcomes"]
    rows = [
        [label, who]
        + [
            f"{builds.median(outcomes[f'{kind}, {who}, {place}'], 'cpu_us'):.1f}"
            for place in PLACES
        ]
        for kind, (label, _, _) in CALLERS.items()
        for who in (builds.BEFORE, builds.NOW, "echo")
    ]
    header = ["callers", "server", *(label for label, _, _ in PLACES.values())]
    return f"""Server CPU in us per unary Get, by number of serving threads; medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in
turns. A caller sends its next call when the last one is answered. The load runs on the last core.
The server runs on the first, so that it never shares a core with its callers: one thread that did
would cost a third, by chance. With several threads it is also measured where they may use any core,
as they do in production; handing a call to a thread on another core costs more than to one on the
same. The echo is the bare gRPC server of bench/serving.

The ratios compare this tree with itself at one thread, and count the worse of both placements and,
of eight callers, the worse of one shared connection and eight. `_vs_echo` compares it with the echo,
with one thread each.

{terminal.table(header, rows)}"""
