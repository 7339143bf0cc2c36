"""More connections than there is room for: those that fit work, and others fit when those leave."""

import http.client

import grpc
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess


def served(connection):
    """Whether the server answers a call on this raw connection."""
    try:
        return (
            connection.call(
                "/ferrite.v1.CacheService/Get", GetRequest(key=b"k").SerializeToString()
            )
            == 0
        )
    except OSError:
        return False


def try_connect(address):
    """A connection, or None if the server hangs up during the handshake."""
    try:
        return Http2Connection(address)
    except OSError:
        return None


def metric(server, name):
    """The sum over all label sets of a metric."""
    connection = http.client.HTTPConnection(server.http_address, timeout=60)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.partition("{")[0].partition(" ")[0] == name
    )


def test_150_connections_under_64_descriptors():
    with ServerProcess(open_files=64) as server:
        with CacheClient(server.grpc_address) as first:
            assert first.Set(SetRequest(key=b"k", value=b"v")).stored
            # A connection for which there is no descriptor waits in the kernel's queue, so
            # connecting never blocks.
            connections = [try_connect(server.grpc_address) for _ in range(150)]
            assert first.Get(GetRequest(key=b"k")).value == b"v", "the first client is still served"
            for connection in connections:
                if connection is not None:
                    connection.socket.settimeout(1)
            assert any(
                served(connection) for connection in connections[:5] if connection is not None
            )
            assert first.Get(GetRequest(key=b"k")).value == b"v"
            for connection in connections:
                if connection is not None:
                    connection.close()
            with CacheClient(server.grpc_address) as late:
                eventually(lambda: value_of(late), lambda value: value == b"v", "room again")
            eventually(
                lambda: first.Stats(StatsRequest()).connections,
                lambda count: count == 1,
                "all other connections are gone",
            )


def test_the_connection_cap():
    with ServerProcess("--max-connections=5") as server:
        connections = [Http2Connection(server.grpc_address) for _ in range(5)]
        assert all(served(connection) for connection in connections)
        rejected_before = metric(server, "ferrite_connections_rejected_total")
        refused = [try_connect(server.grpc_address) for _ in range(10)]
        assert not any(served(connection) for connection in refused if connection is not None)
        assert all(
            served(connection) for connection in connections
        ), "accepted connections are not disturbed"
        assert metric(server, "ferrite_connections_rejected_total") - rejected_before == 10
        assert metric(server, "ferrite_connections") == 5
        connections.pop().close()
        with CacheClient(server.grpc_address) as late:
            eventually(lambda: value_of(late), lambda value: value == b"", "its place is free again")
            assert metric(server, "ferrite_connections") == 5
        for connection in connections:
            connection.close()


def value_of(client):
    """What the server has for the key k; None as long as it has no place for the client."""
    try:
        return client.Get(GetRequest(key=b"k")).value
    except grpc.RpcError as error:
        assert error.code() in (
            grpc.StatusCode.RESOURCE_EXHAUSTED,  # as it was refused
            grpc.StatusCode.UNAVAILABLE,  # the connection on which it was is closed
        ), error
        return None


def test_connections_that_come_and_go_leave_nothing():
    with ServerProcess("--max-connections=10") as server, CacheClient(server.grpc_address) as first:
        first.Set(SetRequest(key=b"k"))
        for _ in range(300):
            connection = Http2Connection(server.grpc_address)
            assert eventually(lambda: connection, lambda c: served(c), "served") is connection
            connection.close()
            eventually(
                lambda: first.Stats(StatsRequest()).connections,
                lambda count: count == 1,
                "the connection is gone",
            )
