"""What it costs when a million entries expire at one moment."""

import footprint
import storm
from harness import terminal

TITLE = "Expiry"
TARGETS = ("bench-store-expiry", "bench-store-memory")
# The ratios are those of the first: with one, the load and the sweep have a core each on two.
THREADS = (1, 2)
VALUE_BYTES = 64
HOUR_MS = 3_600_000


def add_arguments(parser):
    parser.add_argument("--expiring-keys", type=int, default=1_000_000)


def measure(build_dir, arguments):
    keys = arguments.expiring_keys
    progress = terminal.Progress(len(THREADS) + 2)
    runs = []
    for threads in THREADS:
        options = {"keys": keys, "staying_keys": keys, "threads": threads}
        run = storm.run_program(build_dir, "bench-store-expiry", **options)
        if run["found_after_expiry"] > 0:
            raise RuntimeError(f"{run['found_after_expiry']} expired entries were still found")
        runs.append(run)
        progress.step(f"{threads} threads")
    without = footprint.ferrite(build_dir, keys, VALUE_BYTES)
    progress.step("memory without TTL")
    with_ttl = footprint.ferrite(build_dir, keys, VALUE_BYTES, "--ttl-ms", str(HOUR_MS))
    progress.step("memory with TTL")
    return {"runs": runs, "memory": {"without_ttl": without, "with_ttl": with_ttl}}


def ratios(figures):
    first = figures["runs"][0]
    return {
        "worst_op_ms_expiry": first["during"]["slowest"]["wall_ms"],
        "expiry_ns_per_key": first["sweep_ns_per_key"],
    }


def _timer_bytes(memory, count):
    """Bytes per key that a time to live adds, by this count."""
    with_ttl, without = memory["with_ttl"], memory["without_ttl"]
    return (with_ttl[count] - without[count]) / with_ttl["keys"]


def table(runs):
    rows = []
    for run in runs:
        threads = f"{run['threads']} thread{'s' * (run['threads'] > 1)}"
        rows.append([f"{threads}, before", *storm.calls_row(run["before"])])
        rows.append([f"{threads}, while reclaiming", *storm.calls_row(run["during"])])
    return terminal.table(["GET and SET", *storm.CALLS_HEADER], rows)


def _cost_table(runs):
    rows = [
        [
            run["threads"],
            f"{run['sweep_ns_per_key']:.0f}",
            f"{run['seconds_to_reclaim']:.2f}",
            f"{run['own_bytes_before'] / footprint.GIB * 1024:.0f}",
            f"{run['own_bytes_after'] / footprint.GIB * 1024:.0f}",
        ]
        for run in runs
    ]
    header = ["threads", "sweep, CPU ns per key", "seconds to reclaim", "MiB before", "MiB after"]
    return terminal.table(header, rows)


def markdown(figures):
    first = figures["runs"][0]
    memory = figures["memory"]
    return f"""{first["keys"]:,} entries expire in the same millisecond, beside
{first["staying_keys"]:,} that stay. 5 ms later a reader found none of a sample of up to 10,000. One
thread sweeps, as in the server, while others read and write entries that stay. The ratios below are
those with {first["threads"]} of these, when the sweep has a core of its own on a machine of two.

{table(figures["runs"])}

{storm.CALLS_TEXT}

{_cost_table(figures["runs"])}

A time to live adds {_timer_bytes(memory, "own_count_bytes"):+.2f} B per key by the store's own
count, and {_timer_bytes(memory, "rss_growth_bytes"):+.2f} B by the growth of the process."""
