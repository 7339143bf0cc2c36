"""Whether to copy a value into the reply, or to send it from the store's memory by a reference."""

import contextlib
import statistics

from harness import load, report, servers, terminal

TITLE = "Values sent without a copy"
TARGETS = ("bench-copying-server", "bench-sharing-server", "ferrite")
KIB = 1024
SIZES = tuple(KIB * kib for kib in (1, 4, 8, 16, 64, 256, 1024))
HELD_BYTES = 256 << 20  # of values in a server
SERVERS = {"copied": "bench-copying-server", "shared": "bench-sharing-server"}


def add_arguments(parser):
    parser.add_argument("--copy-rounds", type=int, default=3)
    parser.add_argument("--copy-seconds", type=float, default=0.5)


def _measure(build_dir, value_bytes, arguments, progress):
    _, cores = load.split_cores()
    keys = {"keys": max(16, HELD_BYTES // value_bytes), "value_size": value_bytes}
    asked = {"mode": "unary", "connections": 1, "threads": 1, "in_flight": 16}
    runs = {}
    with contextlib.ExitStack() as stack:
        for name, program in SERVERS.items():
            server = stack.enter_context(servers.ferrite(build_dir, program=program))
            servers.fill_ferrite(build_dir, server, **keys)
            runs[name] = load.FerriteBench(
                build_dir / "bin" / "ferrite", server, cores=cores, **keys, **asked
            ).run
        return load.take_turns(
            runs, rounds=arguments.copy_rounds, seconds=arguments.copy_seconds, progress=progress
        )


def measure(build_dir, arguments):
    progress = terminal.Progress((arguments.copy_rounds + 1) * len(SIZES) * len(SERVERS))
    return {
        "rounds": arguments.copy_rounds,
        "seconds": arguments.copy_seconds,
        "sizes": [
            {
                "value_bytes": value_bytes,
                "outcomes": _measure(build_dir, value_bytes, arguments, progress),
            }
            for value_bytes in SIZES
        ],
    }


def _cpu(size, name):
    return [outcome["cpu_us"] for outcome in size["outcomes"][name]]


def _ratio(size):
    return report.median_ratio(_cpu(size, "shared"), _cpu(size, "copied"))


def ratios(figures):
    return {
        f"shared_cpu_vs_copied_{size['value_bytes'] // KIB}k": _ratio(size)
        for size in figures["sizes"]
    }


def markdown(figures):
    rows = [
        [
            f"{size['value_bytes'] // KIB:,}",
            *(f"{statistics.median(_cpu(size, name)):.1f}" for name in SERVERS),
            f"{_ratio(size):.2f}",
        ]
        for size in figures["sizes"]
    ]
    table = terminal.table(["value KiB", "copied", "shared", "shared / copied"], rows)
    return f"""Server CPU in us per unary Get, 16 in flight, of a server that copies every value and of one that copies
none that lies in a block of its own; medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in turns.
`kMinSharedBytes` (server/call/reply_writer.h) is set by this.

{table}"""
