"""A node without a cluster beside the build before."""

import contextlib

from harness import load, report, servers, terminal

TITLE = "A node without a cluster"
TARGETS = ("ferrite", "ferrite-server")
VALUE_BYTES = 64

SUBJECTS = {
    "unary": ("unary Get, 64 in flight", {"mode": "unary", "in_flight": 64}),
    "pipeline64": (
        "Pipeline, frames of 64 Gets, 1,024 in flight",
        {"mode": "pipeline", "batch": 64, "in_flight": 16},
    ),
}
BEFORE, NOW = "before", "now"


def add_arguments(parser):
    parser.add_argument("--starts", type=int, default=3, help="how often these servers start anew")


def _from_start(directories, arguments, progress):
    entries = {"keys": arguments.keys, "value_size": VALUE_BYTES}
    with contextlib.ExitStack() as stack:
        turns = {}
        for who, directory in directories.items():
            server = stack.enter_context(servers.ferrite(directory, "--max-memory=512MiB"))
            servers.fill_ferrite(directories[NOW], server, **entries)
            for name, (_, options) in SUBJECTS.items():
                turns[f"{name}, {who}"] = load.FerriteBench(
                    directories[NOW] / "bin" / "ferrite",
                    server,
                    cores=load.split_cores()[1],
                    connections=1,
                    threads=1,
                    **options,
                    **entries,
                ).run
        return load.take_turns(
            turns, rounds=arguments.rounds, seconds=arguments.seconds, progress=progress
        )


def measure(build_dir, arguments):
    directories = {BEFORE: arguments.before, NOW: build_dir}
    steps = arguments.starts * (arguments.rounds + 1) * len(SUBJECTS) * len(directories)
    progress = terminal.Progress(steps)
    outcomes = {}
    for _ in range(arguments.starts):
        for name, measured in _from_start(directories, arguments, progress).items():
            outcomes.setdefault(name, []).extend(measured)
    return {"rounds": arguments.starts * arguments.rounds, "starts": arguments.starts, "outcomes": outcomes}


def _of(figures, name, who):
    return [outcome["cpu_us"] for outcome in figures["outcomes"][f"{name}, {who}"]]


def ratios(figures):
    """How much work a second of CPU does, beside before: the worse of both."""
    return {
        "single_node_unchanged": min(
            report.median_ratio(_of(figures, name, BEFORE), _of(figures, name, NOW)) for name in SUBJECTS
        )
    }


def markdown(figures):
    rows = [
        [label, who, f"{sorted(_of(figures, name, who))[figures['rounds'] // 2]:.2f}"]
        for name, (label, _) in SUBJECTS.items()
        for who in (BEFORE, NOW)
    ]
    return f"""Server CPU per key of a node that is part of no cluster, of this tree and of the one before, {figures["rounds"]} rounds in turns after {figures["starts"]}
starts. The ratio is CPU before / CPU now, of the worse of both.

{terminal.table(["what", "build", "server CPU us"], rows)}"""
