"""Scan: every key once, prefixes, limits, cursors, values."""

import collections
import threading

import pytest
from cache_client import CacheClient, assert_refused, scan_all
from eventually import eventually
from ferrite.v1.cache_pb2 import DeleteRequest, MSetRequest, ScanRequest, SetRequest, TouchRequest
from server_process import ServerProcess

HOUR_MS = 3_600_000


def fill(client, prefix, count, value=b""):
    keys = [prefix + b"%d" % number for number in range(count)]
    for start in range(0, count, 1000):
        entries = [SetRequest(key=k, value=value) for k in keys[start : start + 1000]]
        client.MSet(MSetRequest(entries=entries))
    return set(keys)


def seen_once(entries):
    counts = collections.Counter(entry.key for entry in entries)
    assert not counts or max(counts.values()) == 1, [k for k, n in counts.items() if n > 1][:10]
    return set(counts)


def resumed_scan(client, **request):
    """Scans in several calls, each of which continues at the last cursor, until it is empty."""
    entries, cursor = [], b""
    while True:
        for response in client.Scan(ScanRequest(cursor=cursor, **request)):
            entries.extend(response.entries)
            cursor = response.cursor
        if not cursor:
            return entries


def test_scan_sees_every_key_exactly_once(client, key):
    keys = fill(client, key + b":", 5000)
    assert seen_once(scan_all(client, ScanRequest(prefix=key + b":"))) == keys
    assert keys <= seen_once(scan_all(client, ScanRequest())), "without a prefix every key is sent"


def test_scan_sends_only_keys_under_the_prefix(client, key):
    prefix = key + b"\0\xff"
    for suffix in (b"", b"a", b"\0", b"\xff" * 10):
        client.Set(SetRequest(key=prefix + suffix))
    client.Set(SetRequest(key=key + b"\0\xfe"))
    client.Set(SetRequest(key=key + b"\0"))
    found = seen_once(scan_all(client, ScanRequest(prefix=prefix)))
    assert found == {prefix, prefix + b"a", prefix + b"\0", prefix + b"\xff" * 10}
    assert scan_all(client, ScanRequest(prefix=key + b"none")) == []


def test_scan_sends_values_only_when_asked(client, key):
    version = client.Set(SetRequest(key=key, value=b"\0v", ttl_ms=HOUR_MS)).version
    (bare,) = scan_all(client, ScanRequest(prefix=key))
    assert (
        bare.value == b"" and bare.version == version and HOUR_MS - 60_000 < bare.ttl_ms <= HOUR_MS
    )
    (full,) = scan_all(client, ScanRequest(prefix=key, with_values=True))
    assert full.value == b"\0v" and full.version == version
    client.Touch(TouchRequest(key=key, persist=True))
    (lasting,) = scan_all(client, ScanRequest(prefix=key))
    assert not lasting.HasField("ttl_ms")


def test_scan_ends_after_its_limit(client, key):
    keys = fill(client, key + b":", 300)
    for limit in (1, 2, 99, 299):
        responses = list(client.Scan(ScanRequest(prefix=key + b":", limit=limit)))
        entries = [entry for response in responses for entry in response.entries]
        assert len(entries) == limit and seen_once(entries) <= keys
        assert responses[-1].cursor, "there are more entries"
    assert len(scan_all(client, ScanRequest(prefix=key + b":", limit=4_000_000_000))) == 300


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_scan_continues_at_its_cursor(client, key, limit):
    keys = fill(client, key + b":", 200)
    assert seen_once(resumed_scan(client, prefix=key + b":", limit=limit)) == keys


def test_scan_continues_at_the_cursor_of_any_message(client, key):
    keys = fill(client, key + b":", 2000)
    responses = list(client.Scan(ScanRequest(prefix=key + b":")))
    assert responses[-1].cursor == b"", "there are no more entries"
    middle = len(responses) // 2
    before = [entry for response in responses[:middle] for entry in response.entries]
    cursor = responses[middle - 1].cursor if middle else b""
    after = scan_all(client, ScanRequest(prefix=key + b":", cursor=cursor))
    assert seen_once(before + after) == keys


def test_scan_sees_keys_that_exist_throughout_while_others_come_and_go(server, client, key):
    stay = fill(client, key + b"stay", 3000)
    stop = threading.Event()

    def churn(name):
        with CacheClient(server.grpc_address) as other:
            number = 0
            while not stop.is_set():
                entries = [SetRequest(key=key + b"%s%d" % (name, number + i)) for i in range(200)]
                other.MSet(MSetRequest(entries=entries))
                for entry in entries[::3]:
                    other.Delete(DeleteRequest(key=entry.key))
                number += 200

    threads = [threading.Thread(target=churn, args=(name,)) for name in (b"a", b"b")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            entries = scan_all(client, ScanRequest(prefix=key + b"stay"))
            assert seen_once(entries) == stay
            assert seen_once(resumed_scan(client, prefix=key + b"stay", limit=500)) == stay
            assert stay <= seen_once(scan_all(client, ScanRequest(prefix=key)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_scan_does_not_send_expired_keys(client, key):
    fill(client, key + b"stay", 10)
    for number in range(10):
        client.Set(SetRequest(key=key + b"go%d" % number, ttl_ms=1))
    eventually(
        lambda: client.Touch(TouchRequest(key=key + b"go9")),
        lambda touched: not touched.found,
        "expires",
    )
    assert len(scan_all(client, ScanRequest(prefix=key))) == 10


def test_scan_of_large_values_fits_a_default_client(client, key):
    large = b"L" * (1 << 20)
    for number in range(12):
        client.Set(SetRequest(key=key + b"%d" % number, value=large))
    entries = scan_all(client, ScanRequest(prefix=key, with_values=True))
    assert len(seen_once(entries)) == 12 and all(entry.value == large for entry in entries)
    for entry in entries:
        client.Delete(DeleteRequest(key=entry.key))


@pytest.mark.parametrize(
    "cursor", [b"x", b"\0", b"garbage that no server sent", b"\xff" * 12, b"\xff" * 16, b"c" * 5000]
)
def test_a_foreign_cursor_is_refused(client, cursor):
    assert_refused("CURSOR_INVALID", client.Scan, ScanRequest(cursor=cursor))


def test_a_cursor_with_one_wrong_bit_is_refused(client, key):
    fill(client, key, 100)
    cursor = next(client.Scan(ScanRequest(limit=50))).cursor
    for bit in range(8 * len(cursor)):
        wrong = bytearray(cursor)
        wrong[bit // 8] ^= 1 << bit % 8
        assert_refused("CURSOR_INVALID", client.Scan, ScanRequest(cursor=bytes(wrong)))
    for size in range(1, len(cursor)):
        assert_refused("CURSOR_INVALID", client.Scan, ScanRequest(cursor=cursor[:size]))
    assert_refused("CURSOR_INVALID", client.Scan, ScanRequest(cursor=cursor + b"\0"))


def test_a_cursor_of_another_server_is_refused(client, key):
    fill(client, key, 100)
    with ServerProcess() as server, CacheClient(server.grpc_address) as other:
        fill(other, key, 100)
        *_, last = other.Scan(ScanRequest(limit=10))
        assert last.cursor
        assert_refused("CURSOR_INVALID", client.Scan, ScanRequest(cursor=last.cursor))


def test_a_scan_may_be_cancelled_in_the_middle(client, key):
    fill(client, key, 5000)
    for _ in range(20):
        stream = client.Scan(ScanRequest(prefix=key))
        next(stream)
        stream.cancel()
    assert len(scan_all(client, ScanRequest(prefix=key))) == 5000
