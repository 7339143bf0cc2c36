"""Deadlines: calls that end at their deadline, and calls that reach the server after it."""

import grpc
import pytest
from cache_client import CacheClient, failure_from
from ferrite.v1.cache_pb2 import ExistsRequest, GetRequest, IncrRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess


@pytest.fixture
def frozen():
    """A server that does not answer until thaw()."""
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        client.Exists(ExistsRequest(keys=[b"connect"]))
        server.freeze()
        try:
            yield server, client
        finally:
            server.thaw()


def test_a_call_ends_at_its_deadline(frozen):
    server, client = frozen
    failure = failure_from(client.Get, GetRequest(key=b"k"), timeout=0.2)
    assert failure.code == grpc.StatusCode.DEADLINE_EXCEEDED
    server.thaw()
    assert not client.Get(GetRequest(key=b"k")).found, "the connection survives"


def test_many_calls_past_their_deadline_leave_nothing_behind(frozen):
    server, client = frozen
    calls = [client.cache.Incr.future(IncrRequest(key=b"late"), timeout=0.2) for _ in range(200)]
    assert {call.code() for call in calls} == {grpc.StatusCode.DEADLINE_EXCEEDED}
    server.thaw()
    client.Set(SetRequest(key=b"after", value=b"1"))
    assert client.Incr(IncrRequest(key=b"after")).value == 2


def test_a_generous_deadline_changes_nothing(client, key):
    client.Set(SetRequest(key=key, value=b"v"), timeout=60)
    assert client.Get(GetRequest(key=key), timeout=60).value == b"v"


def test_a_call_that_arrives_after_its_deadline_is_not_executed(server, client, key):
    """A generated stub would not even send the call, so this test speaks HTTP/2 itself."""
    with Http2Connection(server.grpc_address) as connection:
        for number in range(100):
            request = SetRequest(key=key + b"%d" % number, value=b"v").SerializeToString()
            status = connection.call("/ferrite.v1.CacheService/Set", request, timeout="0m")
            assert status == grpc.StatusCode.DEADLINE_EXCEEDED.value[0], status
    exists = client.Exists(ExistsRequest(keys=[key + b"%d" % number for number in range(100)]))
    assert not any(exists.exists)


def test_the_same_call_with_time_left_is_executed(server, client, key):
    with Http2Connection(server.grpc_address) as connection:
        request = SetRequest(key=key, value=b"v")
        assert (
            connection.call(
                "/ferrite.v1.CacheService/Set", request.SerializeToString(), timeout="60S"
            )
            == 0
        )
    assert client.Get(GetRequest(key=key)).value == b"v"
