"""Miss ratios of caches of the same memory: the store, exact policies, and real servers."""

import contextlib
import json
import pathlib
import subprocess
import sys

from harness import peers, terminal

POLICIES = {
    "ferrite": "Ferrite",
    "lru": "exact LRU",
    "fifo": "FIFO",
    "redis_lru": "Redis LRU",
    "redis_lfu": "Redis LFU",
    "memcached": "memcached",
    "belady": "Belady",
}
# No cache can do what Belady's does: it knows the future.
NOT_A_PEER = ("ferrite", "belady")
MIB = 1 << 20
# Of a synthetic trace.
REQUESTS = 1_500_000
PYTHON_WITH_MATPLOTLIB = "/usr/bin/python3"


def program(build_dir):
    return build_dir / "bin" / "ferrite-trace"


def _lines(build_dir, *arguments):
    done = subprocess.run(
        [program(build_dir), *arguments], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        sys.exit("ferrite-trace failed; its message is above")
    return [json.loads(line) for line in done.stdout.splitlines()]


def synthetic_traces(build_dir):
    """{name: description}, in order."""
    return {line["trace"]: line["description"] for line in _lines(build_dir, "--list")}


def _servers(memory_bytes):
    """{policy: (a context that runs the server, the option that names its socket)}"""
    return {
        "redis_lru": (lambda: peers.bounded_redis(memory_bytes, "allkeys-lru"), "--redis"),
        "redis_lfu": (lambda: peers.bounded_redis(memory_bytes, "allkeys-lfu"), "--redis"),
        "memcached": (lambda: peers.bounded_memcached(memory_bytes), "--memcached"),
    }


def measure(build_dir, traces, *, memory_bytes, requests, warm_up):
    """Replays each trace (a name, or a CSV file) against all of POLICIES.

    Returns a record per trace: {"trace", "keys", "requests", "value_bytes", "memory_bytes",
    "miss_ratios": {policy: ratio}}.
    """
    servers = _servers(memory_bytes)
    records = []
    progress = terminal.Progress(len(traces) * (1 + len(servers)))
    for trace in traces:
        arguments = ["--trace", str(trace), "--memory", str(memory_bytes)]
        arguments += ["--requests", str(requests), "--warm-up", str(warm_up)]
        record, *results = _lines(build_dir, *arguments)
        progress.step(f"{trace}, Ferrite and exact policies")
        for name, (start, option) in servers.items():
            with contextlib.ExitStack() as stack:
                socket_path = stack.enter_context(start())
                _, result = _lines(build_dir, *arguments, option, socket_path, "--name", name)
            results.append(result)
            progress.step(f"{trace}, {POLICIES[name]}")
        record["miss_ratios"] = {each["policy"]: each["miss_ratio"] for each in results}
        records.append(record)
    return records


def best_peer(record):
    """The lowest miss ratio of all but Ferrite and Belady."""
    return min(
        ratio for policy, ratio in record["miss_ratios"].items() if policy not in NOT_A_PEER
    )


def ratio(record):
    """Ferrite's miss ratio divided by that of the best peer."""
    best = best_peer(record)
    mine = record["miss_ratios"]["ferrite"]
    return mine / best if best > 0 else float(mine > 0) + 1.0


def worst_ratio(records):
    return max(ratio(record) for record in records)


def table(records):
    """Miss ratios; the lowest of each row but Belady's in bold."""
    rows = []
    for record in records:
        ratios = record["miss_ratios"]
        lowest = min(value for policy, value in ratios.items() if policy != "belady")
        row = [record["trace"]]
        for policy in POLICIES:
            cell = f"{ratios[policy]:.4f}"
            row.append(f"**{cell}**" if policy != "belady" and ratios[policy] == lowest else cell)
        rows.append([*row, f"{ratio(record):.3f}"])
    return terminal.table(["trace", *POLICIES.values(), "Ferrite / best peer"], rows)


def plot(records, path):
    """Draws the miss ratios into this file."""
    bars = {
        "groups": [record["trace"] for record in records],
        "series": {
            label: [record["miss_ratios"][policy] for record in records]
            for policy, label in POLICIES.items()
        },
    }
    # The python3 that came first on the PATH may not see Debian's matplotlib.
    subprocess.run(
        [PYTHON_WITH_MATPLOTLIB, pathlib.Path(__file__).with_name("bars.py"), path],
        input=json.dumps(bars),
        text=True,
        check=True,
    )
