"""Bytes per key, all in: by how much a process grows when it is filled."""

import json
import subprocess

from harness import peers, process, terminal

# One row each: keys, bytes of a value.
SIZES = ((1_000_000, 64),)
KEY_BYTES = 16


def _mixed(number):
    """bench::Mix of bench/store/workload.h."""
    mask = (1 << 64) - 1
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & mask
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & mask
    return number ^ (number >> 31)


def _keys(count):
    return [b"%016x" % _mixed(index + 1) for index in range(count)]


def _ferrite(build_dir, keys, value_bytes):
    program = build_dir / "bin" / "bench-store-memory"
    command = [program, "--keys", str(keys), "--value-bytes", str(value_bytes)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _peer(name, start, fill, own_count, keys, value_bytes):
    with start() as server:
        resident, counted = process.resident_bytes(server.pid), own_count(server)
        fill(server, keys, b"v" * value_bytes)
        if (held := peers.entries(server, name)) != len(keys):
            raise RuntimeError(f"{name} holds {held} of {len(keys)} entries")
        return {
            "name": name,
            "keys": len(keys),
            "value_bytes": value_bytes,
            "rss_growth_bytes": process.resident_bytes(server.pid) - resident,
            "own_count_bytes": own_count(server) - counted,
        }


def measure(build_dir, sizes=SIZES):
    """Returns one record per server and size."""
    records = []
    for count, value_bytes in sizes:
        keys = _keys(count)
        records += [
            _ferrite(build_dir, count, value_bytes),
            _peer("redis", peers.redis, peers.fill_redis, peers.redis_memory, keys, value_bytes),
            _peer(
                "memcached",
                peers.memcached,
                peers.fill_memcached,
                peers.memcached_memory,
                keys,
                value_bytes,
            ),
        ]
    return records


def worst_ratio(records, peer):
    """Ferrite's growth over the peer's, at the size where that is largest. Lower is better."""
    growth = {(r["name"], r["keys"], r["value_bytes"]): r["rss_growth_bytes"] for r in records}
    return max(
        growth["ferrite", *size] / growth[peer, *size] for name, *size in growth if name == peer
    )


def table(records):
    header = ["keys", "value bytes", "server", "bytes per key (RSS)", "by its own count"]
    rows = [
        [
            f"{r['keys']:,}",
            r["value_bytes"],
            r["name"],
            f"{r['rss_growth_bytes'] / r['keys']:.1f}",
            f"{r['own_count_bytes'] / r['keys']:.1f}",
        ]
        for r in records
    ]
    return terminal.table(header, rows)
