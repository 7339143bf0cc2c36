"""A server with default settings in a control group: it sees the limit, and stays below it."""

import concurrent.futures

import grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient
from control_group import limited_group
from ferrite.v1.admin_pb2 import InfoRequest, StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, MSetRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess

MIB = 1 << 20


def fill(client, value_bytes):
    """Writes until the store has had to evict a good part of what was written."""
    batch = max(1, min(1000, 2_000_000 // value_bytes))
    number = 0
    limit = client.Stats(StatsRequest()).memory_limit_bytes
    while number * value_bytes < 3 * limit // 2:
        entries = [
            SetRequest(key=b"%d" % n, value=bytes(value_bytes)) for n in range(number, number + batch)
        ]
        client.MSet(MSetRequest(entries=entries))
        number += batch
    assert client.Stats(StatsRequest()).evictions > 0


def write_replayably(address, writer, writes, value_bytes):
    """Writes of one client, each of which the server is to remember with the value before it.
    Returns how many were refused.
    """
    refused = 0
    with CacheClient(address, UNLIMITED_MESSAGES) as client:
        for number in range(writes):
            request = SetRequest(
                key=b"replayed %d" % (number % 4),
                value=b"v" * value_bytes,
                return_previous=True,
                request_id=b"%d-%d" % (writer, number),
            )
            try:
                client.Set(request)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
                refused += 1
    return refused


def load(server, client, value_bytes):
    """A full store, idle connections, and from 16 clients at once large writes to remember."""
    idle = [Http2Connection(server.grpc_address) for _ in range(30)]
    fill(client, 2_000)
    fill(client, value_bytes)
    with concurrent.futures.ThreadPoolExecutor(16) as writers:
        writing = [
            writers.submit(write_replayably, server.grpc_address, writer, 5, value_bytes)
            for writer in range(16)
        ]
        assert sum(written.result() for written in writing) < 80, "some are executed"
    for connection in idle:
        connection.close()


@pytest.mark.parametrize("limit", [64 * MIB, 256 * MIB])
def test_defaults_survive_a_full_store_and_large_writes(limit):
    with limited_group(limit) as group, ServerProcess(control_group=group) as server:
        with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
            info = client.Info(InfoRequest())
            assert info.available_memory_bytes == limit
            assert str(group.outer) in info.available_memory_source, "it looks above its own group"
            assert limit // 4 < client.Stats(StatsRequest()).memory_limit_bytes < limit
            load(server, client, MIB)
            assert client.Get(GetRequest(key=b"replayed 0")).found
        # What lies at the edge of the smallest group is the code itself, which can be read again.
        if limit > 64 * MIB:
            assert group.refusals() == 0, f"{group.highest_bytes()} bytes were in use"
