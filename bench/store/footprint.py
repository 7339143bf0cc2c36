"""Bytes per key, all in: by how much a process grows when it is filled."""

import json
import subprocess

from harness import machine, peers, process, terminal

TITLE = "Memory"
TARGETS = ("bench-store-memory", "bench-store-fill")
KEY_BYTES = 16
VALUE_BYTES = (8, 64, 512, 4096)
PEERS = {
    "redis": (peers.redis, peers.redis_memory),
    "memcached": (peers.memcached, peers.memcached_memory),
}
# What fills a server may take: its size classes and headers come on top of the bytes stored.
OVERHEAD = 1.25
GIB = 1 << 30


def add_arguments(parser):
    parser.add_argument(
        "--max-fill",
        type=float,
        default=min(12.0, round(0.6 * machine.available_bytes() / GIB, 1)),
        metavar="GIB",
        help="what a filled server may take; default: 12, or 60 %% of the memory there is",
    )
    parser.add_argument(
        "--fill-keys",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[1_000_000, 10_000_000],
        metavar="N,N",
        help="how many keys the servers are filled with",
    )


def sizes(counts, max_fill_bytes):
    """(keys, bytes of a value) of each row: fewer keys where the memory would not hold them."""
    for value_bytes in VALUE_BYTES:
        fitting = int(max_fill_bytes / ((KEY_BYTES + value_bytes) * OVERHEAD))
        if fitting > 1_000_000:
            fitting -= fitting % 100_000
        yield from ((count, value_bytes) for count in sorted({min(n, fitting) for n in counts}))


def ferrite(build_dir, keys, value_bytes, *arguments):
    command = [build_dir / "bin" / "bench-store-memory", *arguments]
    command += ["--keys", str(keys), "--value-bytes", str(value_bytes)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _peer(build_dir, name, keys, value_bytes):
    start, own_count = PEERS[name]
    with start() as server:
        resident, counted = process.resident_bytes(server.pid), own_count(server)
        command = [build_dir / "bin" / "bench-store-fill", name, server.socket_path]
        command += ["--keys", str(keys), "--value-bytes", str(value_bytes)]
        subprocess.run(command, check=True)
        if (held := peers.entries(server, name)) != keys:
            raise RuntimeError(f"{name} holds {held} of {keys} entries")
        return {
            "name": name,
            "keys": keys,
            "value_bytes": value_bytes,
            "rss_growth_bytes": process.resident_bytes(server.pid) - resident,
            "own_count_bytes": own_count(server) - counted,
        }


def measure(build_dir, arguments):
    """One record per server and size; one server at a time has memory."""
    rows = list(sizes(arguments.fill_keys, arguments.max_fill * GIB))
    progress = terminal.Progress(len(rows) * (1 + len(PEERS)))
    records = []
    for keys, value_bytes in rows:
        what = f"{keys:,} keys, values of {value_bytes} B"
        records.append(ferrite(build_dir, keys, value_bytes))
        progress.step(f"{what}, ferrite")
        for name in PEERS:
            records.append(_peer(build_dir, name, keys, value_bytes))
            progress.step(f"{what}, {name}")
    return {
        "wanted_keys": arguments.fill_keys,
        "max_fill_gib": arguments.max_fill,
        "records": records,
    }


def worst_ratio(records, peer):
    """Ferrite's growth over the peer's, at the size where that is largest. Lower is better."""
    growth = {(r["name"], r["keys"], r["value_bytes"]): r["rss_growth_bytes"] for r in records}
    return max(
        growth["ferrite", *size] / growth[peer, *size] for name, *size in growth if name == peer
    )


def ratios(figures):
    return {f"bytes_per_key_vs_{peer}": worst_ratio(figures["records"], peer) for peer in PEERS}


def difference(record):
    """By how much the process grew beyond what the server counts, as a part of what it counts."""
    return record["rss_growth_bytes"] / record["own_count_bytes"] - 1


def table(records):
    header = ["value bytes", "keys", "server", "bytes per key (RSS)", "own count", "RSS beyond it"]
    rows = [
        [
            r["value_bytes"],
            f"{r['keys']:,}",
            r["name"],
            f"{r['rss_growth_bytes'] / r['keys']:.1f}",
            f"{r['own_count_bytes'] / r['keys']:.1f}",
            f"{difference(r):+.1%}",
        ]
        for r in records
    ]
    return terminal.table(header, rows)


def markdown(figures):
    records = figures["records"]
    text = f"""Growth of the process when it is filled with keys of {KEY_BYTES} B, divided by the
number of keys, beside what the server itself counts. The ratios below are those of the worst
row."""
    wanted = max(figures["wanted_keys"])
    for value_bytes in VALUE_BYTES:
        most = max(r["keys"] for r in records if r["value_bytes"] == value_bytes)
        if most < wanted:
            text += f"""
Of values of {value_bytes} B there are {most:,} and not {wanted:,}: so many fit into
{figures["max_fill_gib"]:g} GiB with a quarter on top for headers and size classes."""
    return f"{text}\n\n{table(records)}"
