"""How fast a near cache answers hits."""

import json
import statistics
import subprocess

from harness import servers, terminal

TITLE = "Near cache"
TARGETS = ("bench-near-cache", "ferrite-server")
WAYS = {"few": ("1,000 of the keys", ()), "zipf": ("all keys, by Zipf's law", ("--zipf",))}


def add_arguments(parser):
    parser.add_argument("--near-keys", type=int, default=100_000, metavar="N")


def _measure(build_dir, server, keys, seconds, flags):
    """A server on every core, as it is idle while the cache is read."""
    command = [build_dir / "bin" / "bench-near-cache", f"--server={server.address}"]
    command += [f"--keys={keys}", f"--seconds={seconds}", *flags]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed)


def measure(build_dir, arguments):
    progress = terminal.Progress(len(WAYS) * arguments.rounds)
    outcomes = {name: [] for name in WAYS}
    with servers.ferrite(build_dir) as server:
        for _ in range(arguments.rounds):
            for name, (_, flags) in WAYS.items():
                outcomes[name].append(
                    _measure(build_dir, server, arguments.near_keys, arguments.seconds, flags)
                )
                progress.step(name)
    return {"rounds": arguments.rounds, "seconds": arguments.seconds, "outcomes": outcomes}


def _median(figures, name, field):
    return statistics.median(each[field] for each in figures["outcomes"][name])


def ratios(figures):
    return {
        "near_cache_zipf_hits_per_second": _median(figures, "zipf", "hits_per_second"),
        "near_cache_hits_per_cpu_second": _median(figures, "few", "hits_per_cpu_second"),
        "near_cache_hits_per_second": _median(figures, "few", "hits_per_second"),
    }


def markdown(figures):
    fields = {
        "hits_per_second": "hits/s, 1 thread",
        "hits_per_cpu_second": "per CPU second",
        "hits_per_second_2_threads": "hits/s, 2 threads",
        "hits_per_cpu_second_2_threads": "per CPU second",
    }
    rows = [
        [label, *(f"{_median(figures, name, field):,.0f}" for field in fields)]
        for name, (label, _) in WAYS.items()
    ]
    first = figures["outcomes"]["few"][0]
    return f"""Reads by one thread and by two of a near cache that has {first["keys"]:,} entries of {first["value_bytes"]:,} B; medians of
{figures["rounds"]} rounds of {figures["seconds"]:g} s. An entry takes {first["bytes_per_entry"]:,.0f} bytes.

{terminal.table(["what is read", *fields.values()], rows)}"""
