"""Operations per second of every map, taking turns."""

import json
import statistics
import subprocess
import sys

from harness import build, report, terminal

MAPS = {
    "ferrite": "ferrite::Store",
    "dashmap": "DashMap",
    "flurry": "flurry",
    "absl_shards": "absl, 64 shards",
    "shared_mutex": "shared_mutex",
    "mutex": "mutex",
}
PEERS_IN_RUST = ("dashmap", "flurry")
OPERATIONS = {"get": "GET", "set": "SET", "mixed": "80/20", "mget16": "MGET of 16", "incr": "INCR"}
THREADS = (1, 2, 8)
DISTRIBUTION = "uniform"


class MapProcess:
    """A process that holds one filled map and runs one operation on it at a time."""

    def __init__(self, build_dir, name, keys, value_bytes):
        program = (
            build.peers_program(build_dir)
            if name in PEERS_IN_RUST
            else build_dir / "bin" / "bench-store"
        )
        self._process = subprocess.Popen(
            [program, "--map", name, "--keys", str(keys), "--value-bytes", str(value_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            sys.exit("a map process ended; its message is above")
        return json.loads(line)

    def wait_until_filled(self):
        """Returns what map this is."""
        return self._answer()["ready"]

    def operations_per_second(self, operation, threads, seconds):
        self._process.stdin.write(f"{operation} {DISTRIBUTION} {threads} {seconds}\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["operations"] / answer["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def _cells():
    return [(operation, threads) for operation in OPERATIONS for threads in THREADS]


def measure(build_dir, *, keys, value_bytes, rounds, seconds):
    """Returns {map: {operation: {threads: [operations per second of each round]}}}, and what each
    map says of itself.

    Every round fills fresh maps, and within a round the maps take turns cell by cell, in another
    order each round: what slows the machine for a while slows all of them, and the luck of one
    memory layout is averaged out.
    """
    rates = {
        name: {operation: {threads: [] for threads in THREADS} for operation in OPERATIONS}
        for name in MAPS
    }
    descriptions = {}
    progress = terminal.Progress(rounds * len(_cells()) * len(MAPS))
    for turn in range(rounds):
        order = [*MAPS][turn % len(MAPS) :] + [*MAPS][: turn % len(MAPS)]
        processes = {}
        for name in order:
            processes[name] = MapProcess(build_dir, name, keys, value_bytes)
            descriptions[name] = processes[name].wait_until_filled()
        for operation, threads in _cells():
            for name in order:
                rate = processes[name].operations_per_second(operation, threads, seconds)
                rates[name][operation][threads].append(rate)
                progress.step(
                    f"round {turn + 1}, {OPERATIONS[operation]}, {threads} threads, {MAPS[name]}"
                )
        for process in processes.values():
            process.close()
    return rates, descriptions


def ratio(rates, operation, threads, peer="dashmap", name="ferrite"):
    return report.median_ratio(rates[name][operation][threads], rates[peer][operation][threads])


def table(rates):
    """Million operations per second, and in parentheses the ratio to DashMap."""
    rows = []
    for operation, threads in _cells():
        row = [OPERATIONS[operation], threads]
        for name in MAPS:
            median = statistics.median(rates[name][operation][threads]) / 1e6
            row.append(f"{median:.2f} ({ratio(rates, operation, threads, name=name):.2f})")
        rows.append(row)
    return terminal.table(["operation", "threads", *MAPS.values()], rows)


def spread(rates):
    """How far the rounds lie apart: the median over all cells of (largest - smallest) / median."""
    cells = [rates[name][operation][threads] for name in MAPS for operation, threads in _cells()]
    return statistics.median((max(cell) - min(cell)) / statistics.median(cell) for cell in cells)
