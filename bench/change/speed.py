"""Throughput and server CPU under full load."""

import contextlib

import builds
from harness import load, servers, terminal

TITLE = "Full load"
TARGETS = ("ferrite", "ferrite-server")
VALUE_BYTES = 64

# As bench/serving has them.
SUBJECTS = {
    "unary": ("unary Get, 64 in flight", {"mode": "unary", "in_flight": 64}),
    "pipeline64": (
        "Pipeline, frames of 64 Gets, 1,024 in flight",
        {"mode": "pipeline", "batch": 64, "in_flight": 16},
    ),
    "auto64": ("automatic batching, 64 callers", {"mode": "auto", "in_flight": 64}),
}
# Here the library makes the frames, so each build is driven by its own.
OWN_LOAD = ("auto64",)

# {ratio: (subject, what of it)}
RATIOS = {
    "unary_vs_before": ("unary", "per_second"),
    "pipeline64_vs_before": ("pipeline64", "per_second"),
    "auto64_vs_before": ("auto64", "per_second"),
    "unary_cpu_vs_before": ("unary", "cpu_us"),
    "server_cpu_per_key_vs_before": ("pipeline64", "cpu_us"),
}


def add_arguments(parser):
    parser.add_argument("--starts", type=int, default=4, help="how often the servers start anew")
    parser.add_argument("--rounds", type=int, default=2, help="rounds after each start")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=1_000_000)


def _from_start(directories, arguments, progress):
    """{"SUBJECT, BUILD": [Outcome per round]}, measured with freshly started servers."""
    _, cores = load.split_cores()
    entries = {"keys": arguments.keys, "value_size": VALUE_BYTES}
    with contextlib.ExitStack() as stack:
        running = {}
        for who, directory in directories.items():
            running[who] = stack.enter_context(servers.ferrite(directory, "--max-memory=16GiB"))
            servers.fill_ferrite(directories[builds.NOW], running[who], **entries)
        turns = {}
        for name, (_, options) in SUBJECTS.items():
            for who, directory in directories.items():
                loader = directory if name in OWN_LOAD else directories[builds.NOW]
                turns[f"{name}, {who}"] = load.FerriteBench(
                    loader / "bin" / "ferrite",
                    running[who],
                    cores=cores,
                    connections=1,
                    threads=1,
                    **options,
                    **entries,
                ).run
        return load.take_turns(
            turns, rounds=arguments.rounds, seconds=arguments.seconds, progress=progress
        )


def measure(build_dir, arguments):
    directories = builds.directories(build_dir, arguments)
    steps = arguments.starts * (arguments.rounds + 1) * len(SUBJECTS) * len(directories)
    progress = terminal.Progress(steps)
    outcomes = {}
    for _ in range(arguments.starts):
        for name, measured in _from_start(directories, arguments, progress).items():
            outcomes.setdefault(name, []).extend(measured)
    return {
        "starts": arguments.starts,
        "rounds": arguments.starts * arguments.rounds,
        "seconds": arguments.seconds,
        "keys": arguments.keys,
        "outcomes": outcomes,
    }


def ratios(figures):
    outcomes = figures["outcomes"]
    return {
        ratio: builds.ratio(outcomes[f"{name}, now"], outcomes[f"{name}, before"], field)
        for ratio, (name, field) in RATIOS.items()
    }


def markdown(figures):
    rows = []
    for name, (label, _) in SUBJECTS.items():
        for who in (builds.BEFORE, builds.NOW):
            runs = figures["outcomes"][f"{name}, {who}"]
            rows.append(
                [
                    label,
                    who,
                    f"{builds.median(runs, 'per_second'):,.0f}",
                    f"{builds.median(runs, 'p50_us'):,.0f}",
                    f"{builds.median(runs, 'p99_us'):,.0f}",
                    f"{builds.median(runs, 'cpu_us'):.2f}",
                    f"{builds.median(runs, 'load_cpu_us'):.2f}",
                ]
            )
    header = ["what", "build", "operations/s", "p50 us", "p99 us", "server CPU us", "load CPU us"]
    return f"""Medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in which the builds took turns. The servers were started
{figures["starts"]} times, because where a process lies in memory alone is worth some per cent. {figures["keys"]:,} keys of
{load.KEY_BYTES} B, values of {VALUE_BYTES} B, loopback TCP, one connection; the server has one thread on a core of its own,
the load has the other core. This tree's load generator drives both servers, except for automatic
batching, which is the library's work: there each build drives its own. CPU is per key. A ratio is the
median of the ratios of the rounds.

{terminal.table(header, rows)}"""
