"""Bounded memory: with eviction it stays bounded, and without eviction nothing is lost."""

import grpc
import health_pb2
import health_pb2_grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient, assert_refused
from ferrite.v1.admin_pb2 import FlushRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    GetRequest,
    IncrRequest,
    MGetRequest,
    MSetRequest,
    SetRequest,
)
from server_process import ServerProcess

LIMIT = 32 << 20
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def value_of(number, size):
    return (b"%d/" % number) * (size // len(b"%d/" % number) + 1)


def mset(client, numbers, size):
    """Writes the numbers and returns those that were stored; all others must fail with
    MEMORY_FULL.
    """
    entries = [SetRequest(key=b"key/%d" % n, value=value_of(n, size)) for n in numbers]
    stored = []
    for number, result in zip(numbers, client.MSet(MSetRequest(entries=entries)).results):
        if result.HasField("response"):
            assert result.response.stored
            stored.append(number)
        else:
            assert result.error.code == EXHAUSTED.value[0], result
    return stored


def assert_all_there(client, numbers, size):
    numbers = list(numbers)
    batch = min(1000, 2_000_000 // size)
    for start in range(0, len(numbers), batch):
        part = numbers[start : start + batch]
        results = client.MGet(MGetRequest(keys=[b"key/%d" % n for n in part])).results
        wrong = [n for n, r in zip(part, results) if r.value != value_of(n, size)]
        assert not wrong, f"lost or wrong: {wrong}"


def memory_bytes(client):
    return sum(client.Stats(StatsRequest()).memory_bytes.values())


def fill_until_refused(client, size):
    """Writes in batches until a write finds no room; returns the numbers of all stored keys."""
    stored, batch = [], min(1000, 2_000_000 // size)
    while True:
        start = len(stored)
        assert start * size < 2 * LIMIT, "the limit is not enforced"
        accepted = mset(client, range(start, start + batch), size)
        stored += accepted
        assert memory_bytes(client) <= LIMIT
        if len(accepted) < batch:
            return stored


@pytest.mark.parametrize("size", [20, 1000, 20_000])
def test_noeviction_refuses_and_loses_nothing(size):
    with ServerProcess(f"--max-memory={LIMIT}", "--eviction=noeviction") as server:
        with CacheClient(server.grpc_address) as client:
            stored = fill_until_refused(client, size)
            assert len(stored) * (size + 8) > LIMIT // 10, "entries get a good part of the limit"
            stats = client.Stats(StatsRequest())
            assert stats.entries == len(stored) and stats.evictions == 0
            assert_all_there(client, stored, size)

            # A few more may fit where there happens to be room; refused ones must do no harm.
            number, refused = 10_000_000, 0
            while refused < 100:
                assert number < 11_000_000, "a full store refuses writes"
                more = mset(client, range(number, number + 100), size)
                stored += more
                refused += 100 - len(more)
                number += 100
            assert memory_bytes(client) <= LIMIT
            assert_all_there(client, stored, size)

            assert client.Delete(DeleteRequest(key=b"key/%d" % stored[0])).deleted
            assert_all_there(client, stored[1:], size)
            assert client.Flush(FlushRequest()).deleted == len(stored) - 1
            assert len(mset(client, range(50), size)) == 50, "there is room again"


def test_a_full_store_refuses_new_counters_but_still_increments_old_ones():
    with ServerProcess(f"--max-memory={LIMIT}", "--eviction=noeviction") as server:
        with CacheClient(server.grpc_address) as client:
            client.Set(SetRequest(key=b"count", value=b"1"))
            fill_until_refused(client, 20)
            with pytest.raises(grpc.RpcError) as error:
                for new in range(2_000_000):
                    client.Incr(IncrRequest(key=b"new counter/%d" % new))
            assert error.value.code() == EXHAUSTED
            assert not client.Get(GetRequest(key=b"new counter/%d" % new)).found
            assert client.Incr(IncrRequest(key=b"count")).value == 2
            assert_refused(
                "MEMORY_FULL", client.Incr, IncrRequest(key=b"new counter/%d" % new), code=EXHAUSTED
            )


@pytest.mark.parametrize("size", [20, 1000, 20_000])
def test_eviction_keeps_memory_bounded_and_recent_keys(size):
    with ServerProcess(f"--max-memory={LIMIT}") as server, CacheClient(
        server.grpc_address
    ) as client:
        batch = min(1000, 2_000_000 // size)
        total = 3 * LIMIT // (size + 100)
        for start in range(0, total, batch):
            numbers = range(start, start + batch)
            assert len(mset(client, numbers, size)) == batch, "eviction makes room"
            if start // batch % 10 == 0:
                assert memory_bytes(client) <= LIMIT * 105 // 100
        stats = client.Stats(StatsRequest())
        assert memory_bytes(client) <= LIMIT * 105 // 100
        assert 0 < stats.evictions and 0 < stats.entries < total
        assert (
            stats.entries + stats.evictions == start + batch
        ), "every entry is present or was evicted"
        assert_all_there(client, list(range(start + batch))[-20:], size)


@pytest.mark.parametrize("size", [500, 960, 1000])  # of 960, some lie in their slots and most do not
def test_eviction_keeps_the_keys_in_use(size):
    with ServerProcess(f"--max-memory={LIMIT}") as server, CacheClient(
        server.grpc_address
    ) as client:
        hot = [b"hot/%d" % number for number in range(100)]
        client.MSet(MSetRequest(entries=[SetRequest(key=key, value=b"h" * size) for key in hot]))
        for start in range(0, 3 * LIMIT // size, 1000):
            assert all(
                result.found for result in client.MGet(MGetRequest(keys=hot)).results
            ), f"after {start}"
            mset(client, range(start, start + 1000), size)
        assert client.Stats(StatsRequest()).evictions > 0


def test_a_value_for_which_there_is_no_room_is_refused():
    """Of the largest values that settings allow, noeviction holds one, and then no other."""
    flags = ("--max-memory=16MiB", "--max-value-bytes=8MiB", "--eviction=noeviction")
    with ServerProcess(*flags, "--shards=1") as server:
        with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
            client.Set(SetRequest(key=b"k", value=b"v" * (8 << 20)))
            client.Set(SetRequest(key=b"other", value=b"stands"))
            request = SetRequest(key=b"other", value=b"v" * (8 << 20))
            assert_refused("MEMORY_FULL", client.Set, request, code=EXHAUSTED)
            assert client.Get(GetRequest(key=b"other")).value == b"stands", "nothing was changed"


def test_watches_of_health_forget_the_names_that_they_were_asked_for():
    with ServerProcess() as server, grpc.insecure_channel(server.grpc_address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        before = server.resident_bytes()
        request = health_pb2.HealthCheckRequest(service="x" * (4 << 20))
        watches = [stub.Watch(request) for _ in range(40)]
        for watch in watches:
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        assert server.sanitized() or server.resident_bytes() - before < 20 * (4 << 20)
        for watch in watches:
            watch.cancel()
