"""Expiry: an entry exists until its TTL ends and no longer, and its memory is reclaimed even if
nobody reads it.
"""

import time

import grpc
from cache_client import CacheClient, failure_of, scan_all
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import (
    GetRequest,
    MGetRequest,
    MSetRequest,
    ScanRequest,
    SetRequest,
    TouchRequest,
)
from server_process import ServerProcess

# The server's clock may be off by a few milliseconds.
COARSE_MS = 10


def now_ms():
    return time.monotonic_ns() / 1e6


def lifetime_bounds_ms(client, key, write):
    """Writes, reads until the key is gone, and returns the least and the greatest lifetime that fit
    what this client saw.
    """
    before = now_ms()
    write()
    after = now_ms()
    last_seen = after
    while True:
        asked = now_ms()
        found = client.Get(GetRequest(key=key)).found
        answered = now_ms()
        if not found:
            return last_seen - after, answered - before
        last_seen = asked


def test_a_key_lives_as_long_as_its_ttl_and_no_longer(client, key):
    for ttl_ms in (1, 50, 300):
        seen, gone = lifetime_bounds_ms(
            client, key, lambda: client.Set(SetRequest(key=key, ttl_ms=ttl_ms))
        )
        assert seen <= ttl_ms + COARSE_MS, f"seen after {seen} ms, ttl {ttl_ms} ms"
        assert gone >= ttl_ms - COARSE_MS, f"gone after {gone} ms, ttl {ttl_ms} ms"


def test_an_absolute_expiry_is_kept(client, key):
    def write():
        client.Set(SetRequest(key=key, expire_at_unix_ms=time.time_ns() // 1_000_000 + 200))

    seen, gone = lifetime_bounds_ms(client, key, write)
    assert seen <= 200 + COARSE_MS and gone >= 200 - COARSE_MS, (seen, gone)


def test_touch_changes_the_expiry(client, key):
    client.Set(SetRequest(key=key, ttl_ms=3_600_000))
    touch = TouchRequest(key=key, ttl_ms=100)
    seen, gone = lifetime_bounds_ms(client, key, lambda: client.Touch(touch))
    assert seen <= 100 + COARSE_MS and gone >= 100 - COARSE_MS, (seen, gone)


def test_the_reported_ttl_decreases(client, key):
    client.Set(SetRequest(key=key, ttl_ms=60_000))
    first = client.Get(GetRequest(key=key)).ttl_ms
    eventually(
        lambda: client.Get(GetRequest(key=key)).ttl_ms,
        lambda ttl_ms: 0 < ttl_ms < first,
        "ttl_ms decreases",
    )


def test_expiry_times_that_pass_while_the_request_is_handled(client, key):
    """The time is checked when the request arrives, and may have passed when it is executed."""
    keys = [key + b"/%d" % number for number in range(1024)]
    refused = 0
    for early_ms in list(range(-2, 20)) * 3:
        unix_ms = time.time_ns() // 1_000_000 + early_ms
        entries = [SetRequest(key=k, expire_at_unix_ms=unix_ms) for k in keys]
        try:
            results = client.MSet(MSetRequest(entries=entries)).results
            assert all(result.response.stored for result in results)
        except grpc.RpcError as error:
            assert failure_of(error).reason == "TTL_OUT_OF_RANGE", error
            refused += 1
        try:
            client.Touch(TouchRequest(key=key, expire_at_unix_ms=unix_ms))
        except grpc.RpcError as error:
            assert failure_of(error).reason == "TTL_OUT_OF_RANGE", error
    assert refused, "a time in the past is refused"
    read_all = MGetRequest(keys=keys)
    eventually(
        lambda: client.MGet(read_all).results,
        lambda results: not any(result.found for result in results),
        "all entries expire",
    )


def test_expired_entries_are_reclaimed_without_being_read():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        empty = sum(client.Stats(StatsRequest()).memory_bytes.values())
        for batch in range(20):
            entries = [
                SetRequest(key=b"%d/%d" % (batch, n), value=b"v" * 2000, ttl_ms=1000)
                for n in range(1000)
            ]
            client.MSet(MSetRequest(entries=entries))
        client.Set(SetRequest(key=b"stays", value=b"v", ttl_ms=3_600_000))
        stats = eventually(
            lambda: client.Stats(StatsRequest()),
            lambda stats: stats.expired == 20_000,
            "all entries are reclaimed",
        )
        assert stats.entries == 1
        assert stats.evictions == 0
        assert [entry.key for entry in scan_all(client, ScanRequest())] == [b"stays"]
        # The next 20,000 entries reuse the memory of the last 20,000: memory does not grow with the
        # number of keys ever written.
        full = sum(stats.memory_bytes.values())
        for batch in range(20):
            entries = [
                SetRequest(key=b"%d/%d" % (batch, n), value=b"v" * 2000) for n in range(1000)
            ]
            client.MSet(MSetRequest(entries=entries))
        again = sum(client.Stats(StatsRequest()).memory_bytes.values())
        assert again - empty < 2 * 20_000 * 2300, (empty, full, again)


def test_a_fresh_write_survives_the_sweep_of_the_entry_it_replaced(client, key):
    keys = [key + b"/%d" % number for number in range(1000)]
    for _ in range(3):
        client.MSet(MSetRequest(entries=[SetRequest(key=k, value=b"old", ttl_ms=20) for k in keys]))
        client.MSet(MSetRequest(entries=[SetRequest(key=k, value=b"new") for k in keys]))
    swept = client.Stats(StatsRequest()).expired
    client.MSet(
        MSetRequest(entries=[SetRequest(key=key + b"x/%d" % n, ttl_ms=1) for n in range(1000)])
    )
    eventually(
        lambda: client.Stats(StatsRequest()).expired,
        lambda expired: expired >= swept + 1000,
        "a sweep has run",
    )
    assert all(result.value == b"new" for result in client.MGet(MGetRequest(keys=keys)).results)
