"""What idle connections cost: memory of the server, and speed of those that are not idle."""

import contextlib
import resource
import socket
import statistics
import subprocess

import subjects
from harness import ferrite_json, load, process, report, servers, terminal

TITLE = "Idle connections"
TARGETS = ("ferrite", "ferrite-server")
KEYS = 100_000
VALUE_BYTES = 64
ASKED = ("unary", "pipeline64")
SPARE = 100  # descriptors and connections besides the idle ones

# https://www.rfc-editor.org/rfc/rfc9113: the preface and an empty SETTINGS; then the answer to
# the server's own SETTINGS.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS_ACK = b"\0\0\0\4\1\0\0\0\0"


def add_arguments(parser):
    parser.add_argument(
        "--idle-connections", type=int, default=10_000, metavar="N", help="how many idle ones"
    )


def _open(stack, address, count):
    """So many connections on which HTTP/2 has begun and no call was made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + SPARE), hard), hard))
    host, _, port = address.rpartition(":")
    for _ in range(count):
        connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
        connection.sendall(HELLO)
        if not connection.recv(4096):
            raise RuntimeError("the server closed an idle connection")
        connection.sendall(SETTINGS_ACK)


def _connections(build_dir, server):
    command = [build_dir / "bin" / "ferrite", f"--server={server.address}", "--json", "stats"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return ferrite_json.parse(printed)["connections"]


def _runs(build_dir, server):
    """{name: function that measures it}"""
    _, cores = load.split_cores()
    return {
        name: load.FerriteBench(
            build_dir / "bin" / "ferrite",
            server,
            cores=cores,
            keys=KEYS,
            value_size=VALUE_BYTES,
            **subjects.SUBJECTS[name].options(VALUE_BYTES),
        ).run
        for name in ASKED
    }


def measure(build_dir, arguments):
    count = arguments.idle_connections
    with contextlib.ExitStack() as stack:
        # One server with idle connections and one without, so that they can take turns.
        flag = f"--max-connections={count + SPARE}"
        busy, lone = (stack.enter_context(servers.ferrite(build_dir, flag)) for _ in range(2))
        for server in (busy, lone):
            servers.fill_ferrite(build_dir, server, keys=KEYS, value_size=VALUE_BYTES)
            for run in _runs(build_dir, server).values():
                run(seconds=arguments.seconds / 4)
        before = process.resident_bytes(busy.pid)
        _open(stack, busy.address, count)
        after = process.resident_bytes(busy.pid)
        turns = {
            f"{name}, {who}": run
            for who, server in (("none", lone), ("idle", busy))
            for name, run in _runs(build_dir, server).items()
        }
        outcomes = load.take_turns(
            dict(sorted(turns.items())),
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            progress=terminal.Progress((arguments.rounds + 1) * len(turns)),
        )
        if (held := _connections(build_dir, busy)) <= count:
            raise RuntimeError(f"only {held - 1} of {count} connections stayed open")
    return {"connections": count, "bytes": after - before, "outcomes": outcomes}


def _rates(figures, name, who):
    return [outcome["per_second"] for outcome in figures["outcomes"][f"{name}, {who}"]]


def ratios(figures):
    found = {"idle_connection_kib": figures["bytes"] / figures["connections"] / 1024}
    for name in ASKED:
        found[f"{name}_with_idle_vs_without"] = report.median_ratio(
            _rates(figures, name, "idle"), _rates(figures, name, "none")
        )
    return found


def markdown(figures):
    rows = [
        [
            subjects.SUBJECTS[name].label,
            *(f"{statistics.median(_rates(figures, name, who)):,.0f}" for who in ("none", "idle")),
        ]
        for name in ASKED
    ]
    table = terminal.table(["what", "without", f"with {figures['connections']:,} idle"], rows)
    return f"""{figures["connections"]:,} connections on which HTTP/2 has begun, and no call was made, take
{figures["bytes"] / figures["connections"] / 1024:.1f} KiB of the server's memory each. Operations/s of those that do make calls:

{table}"""
