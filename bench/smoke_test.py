#!/usr/bin/env python3
"""Runs a benchmark for a moment, so that none of them rots: it must end well, print the ratios that
are read by others, and keep the same figures in its results.

usage: bench/smoke_test.py BENCHMARK BUILD_DIR RATIO... [-- ARGUMENT...]
"""

import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

from harness import build

SKIPPED = 77
PROGRAMS = {
    "attack": (),
    "change": (),
    "cluster": ("etcd",),
    "eviction": ("redis-server", "memcached"),
    "security": (),
    "store": ("cargo", "redis-server", "memcached"),
    "serving": ("redis-server", "memcached"),
    "sim": (),
    "startup": ("redis-server",),
    "subscribe": ("redis-server",),
}
# Goodput that collapses, and what should not be there.
MAY_BE_ZERO = (
    "worst_op_ms_expiry",  # of a moment: less than a microsecond
    "goodput_at_10x_large_rpc",
    "goodput_at_10x_unary_small",
    "sim_failed_seeds",
    "restart_failed_calls",
    "folders_including_each_other",
    "folders_including_each_other_before",
    "folder_cycles",
    "folder_cycles_before",
)
DRAWING = ("eviction", "serving", "store", "subscribe")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def prepare(benchmark, build_dir):
    missing = [program for program in PROGRAMS[benchmark] if shutil.which(program) is None]
    if missing:
        skip(f"{', '.join(missing)} not installed; see bench/packages.txt")
    if benchmark in DRAWING:
        command = ["/usr/bin/python3", "-c", "import matplotlib"]
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            skip("python3-matplotlib not installed; see bench/packages.txt")
    if benchmark != "store":
        return
    manifest = ["--locked", "--manifest-path", str(build.ROOT / "bench/peers/Cargo.toml")]
    if subprocess.run(["cargo", "fetch", *manifest], check=False).returncode != 0:
        skip("the crates cannot be fetched")
    build.peers(build_dir)


def printed_ratios(output):
    """The ratios of the last lines; nothing may come after them."""
    ratios = {}
    for line in reversed(output.splitlines()):
        found = re.fullmatch(r"ratio (\w+) ([0-9.]+)", line)
        if found is None:
            break
        ratios[found.group(1)] = float(found.group(2))
    return ratios


def check(ratios, expected, results, benchmark):
    if set(ratios) != set(expected):
        sys.exit(f"expected the ratios {sorted(expected)}, got {sorted(ratios)}")
    if not all(value > 0 for name, value in ratios.items() if name not in MAY_BE_ZERO):
        sys.exit(f"a ratio is not above 0: {ratios}")
    figures = json.loads((results / f"{benchmark}.json").read_text(encoding="utf-8"))
    markdown = (results / f"{benchmark}.md").read_text(encoding="utf-8")
    for name, value in ratios.items():
        if abs(figures["ratios"][name] - value) > 0.001:
            sys.exit(f"{name} is {value} in the output and {figures['ratios'][name]} in the JSON")
        if f"ratio {name} {value:.3f}" not in markdown:
            sys.exit(f"{name} is not in the Markdown")
    for private in (str(build.ROOT), platform.node()):
        if re.search(rf"(?<!\w){re.escape(private)}(?!\w)", markdown + json.dumps(figures)):
            sys.exit(f"the results tell where they were made: {private}")


def main():
    own, _, passed_on = (list(part) for part in partition(sys.argv[1:], "--"))
    benchmark, build_dir, *expected = own
    prepare(benchmark, pathlib.Path(build_dir))
    with tempfile.TemporaryDirectory() as results:
        command = [str(build.ROOT / "bench" / benchmark / "run"), build_dir]
        command += ["--no-build", "--results", results, *passed_on]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        print(done.stdout)
        if done.returncode != 0:
            sys.exit(f"{benchmark} ended with {done.returncode}")
        check(printed_ratios(done.stdout), expected, pathlib.Path(results), benchmark)


def partition(items, separator):
    at = items.index(separator) if separator in items else len(items)
    return items[:at], items[at : at + 1], items[at + 1 :]


if __name__ == "__main__":
    main()
