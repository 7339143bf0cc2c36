"""A node without a cluster beside the build before, and the client library beside that before."""

from harness import builds, terminal

TITLE = "A node without a cluster"
TARGETS = builds.PROGRAMS
VALUE_BYTES = 64

SERVER = {
    "unary": ("unary Get, 64 in flight", {"mode": "unary", "in_flight": 64}),
    "pipeline64": (
        "Pipeline, frames of 64 Gets, 1,024 in flight",
        {"mode": "pipeline", "batch": 64, "in_flight": 16},
    ),
}
# What the library does: it makes frames of the calls of many, and sends batches and lone calls.
CLIENT = {
    "client_auto64": ("the library: automatic batching, 64 callers", {"mode": "auto", "in_flight": 64}),
    "client_mget64": (
        "the library: MGet of 64 keys, 4 callers",
        {"mode": "auto", "batch": 64, "in_flight": 4},
    ),
    "client_lone": ("the library: one caller", {"mode": "auto", "in_flight": 1}),
}
SUBJECTS = SERVER | CLIENT


def add_arguments(parser):
    parser.add_argument("--starts", type=int, default=3, help="how often these servers start anew")


def measure(build_dir, arguments):
    under_load = builds.UnderLoad(
        SUBJECTS, value_bytes=VALUE_BYTES, flags=("--max-memory=512MiB",), one_server=tuple(CLIENT)
    )
    return {
        "rounds": arguments.starts * arguments.rounds,
        "starts": arguments.starts,
        "outcomes": under_load.measure(build_dir, arguments),
    }


def _worst(figures, subjects, field):
    """CPU before / CPU now, of the subject of which that is least."""
    outcomes = figures["outcomes"]
    return min(
        builds.ratio(outcomes[f"{name}, {builds.BEFORE}"], outcomes[f"{name}, {builds.NOW}"], field)
        for name in subjects
    )


def ratios(figures):
    """How much work a second of CPU does, beside before."""
    return {
        "single_node_unchanged": _worst(figures, SERVER, "cpu_us"),
        "single_node_client_unchanged": _worst(figures, CLIENT, "load_cpu_us"),
    }


def markdown(figures):
    rows = []
    for name, (label, _) in SUBJECTS.items():
        for who in (builds.BEFORE, builds.NOW):
            runs = figures["outcomes"][f"{name}, {who}"]
            rows.append([label, who, *(f"{builds.median(runs, field):.2f}" for field in ("cpu_us", "load_cpu_us"))])
    return f"""CPU per key of a node that is part of no cluster, of this tree and of the one before, {figures["rounds"]} rounds in turns after
{figures["starts"]} starts. One load program, of this tree, drives both servers; the library of each tree, in `ferrite bench --mode auto`, drives the
server of this one. A ratio is CPU before / CPU now of the worst of them: `single_node_unchanged` that of servers,
`single_node_client_unchanged` that of the library.

{terminal.table(["what", "build", "server CPU us", "load CPU us"], rows)}"""
