"""Throughput and server CPU under full load."""

from harness import builds, load, terminal

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


def measure(build_dir, arguments):
    under_load = builds.UnderLoad(
        SUBJECTS, value_bytes=VALUE_BYTES, flags=("--max-memory=16GiB",), own_load=OWN_LOAD
    )
    return {
        "starts": arguments.starts,
        "rounds": arguments.starts * arguments.rounds,
        "seconds": arguments.seconds,
        "keys": arguments.keys,
        "outcomes": under_load.measure(build_dir, arguments),
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
