"""Throughput under full load, beside the tree before."""

from harness import builds, terminal

TITLE = "Full load, beside before"
TARGETS = builds.PROGRAMS
VALUE_BYTES = 64

SUBJECTS = {
    "unary": ("unary Get, 64 in flight", {"mode": "unary", "in_flight": 64}),
    "pipeline64": (
        "Pipeline, frames of 64 Gets, 1,024 in flight",
        {"mode": "pipeline", "batch": 64, "in_flight": 16},
    ),
}


def add_arguments(parser):
    parser.add_argument("--starts", type=int, default=4, help="how often the servers start anew")
    parser.add_argument("--rounds", type=int, default=2, help="rounds after each start")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=100_000)


def measure(build_dir, arguments):
    under_load = builds.UnderLoad(SUBJECTS, value_bytes=VALUE_BYTES, flags=("--max-memory=512MiB",))
    return {"rounds": arguments.starts * arguments.rounds, "outcomes": under_load.measure(build_dir, arguments)}


def ratios(figures):
    """Work for each second of the server's CPU."""
    outcomes = figures["outcomes"]
    return {
        f"{name}_vs_before": builds.ratio(outcomes[f"{name}, {builds.BEFORE}"], outcomes[f"{name}, {builds.NOW}"], "cpu_us")
        for name in SUBJECTS
    }


def markdown(figures):
    rows = []
    for name, (label, _) in SUBJECTS.items():
        for who in (builds.BEFORE, builds.NOW):
            runs = figures["outcomes"][f"{name}, {who}"]
            rows.append([label, who, f"{builds.median(runs, 'per_second'):,.0f}", f"{builds.median(runs, 'cpu_us'):.2f}"])
    return f"""{figures["rounds"]} rounds in turns. A ratio is that of operations for each second of the server's CPU.

{terminal.table(["what", "build", "operations/s", "server CPU us"], rows)}"""
