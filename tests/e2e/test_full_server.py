"""A server that has as many connections as it may: it still answers probes, says what is wrong to
everybody else, and no flood changes that.
"""

import os
import socket
import subprocess
import tempfile

import grpc
import health_pb2
import health_pb2_grpc
import pytest
from cache_client import CacheClient, failure_from, failure_of
from eventually import eventually
from exposition import http_get, scrape
from ferrite.v1.cache_pb2 import (
    GetRequest,
    PipelineRequest,
    ScanRequest,
    SetRequest,
    SubscribeRequest,
)
from http2_connection import Http2Connection
from server_process import HANG_S, ServerProcess

LIMIT = 3
CHECK = "/grpc.health.v1.Health/Check"
# As README says.
MOST_LOCAL_GUESTS = 16


class FullServer(ServerProcess):
    """A server whose connections are all taken."""

    def __init__(self, *flags, **arguments):
        super().__init__(f"--max-connections={LIMIT}", *flags, **arguments)
        self.holders = [Http2Connection(self.grpc_address.split(",")[0]) for _ in range(LIMIT)]
        for holder in self.holders:
            assert holder.call(CHECK, b"") == 0

    def __exit__(self, *error):
        for holder in self.holders:
            holder.close()
        super().__exit__(*error)


@pytest.fixture
def full():
    with FullServer() as server:
        yield server


def probe(address, service="", timeout=HANG_S):
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout).status


def rejected(server, reason="limit"):
    return scrape(server).total("ferrite_connections_rejected_total", reason=reason)


def ferrite(server, *arguments):
    command = [os.environ["FERRITE_CLI_BINARY"], "--server", server.grpc_address, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S)


def assert_says_why(failure, limit=LIMIT):
    assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED, failure
    assert failure.reason == "OVERLOADED" and failure.limit == str(limit), failure
    assert failure.metadata["flag"] == "--max-connections"
    assert "--max-connections" in failure.message and str(limit) in failure.message


def test_probes_are_answered_and_not_counted_as_refused(full):
    for _ in range(50):
        assert probe(full.grpc_address) == health_pb2.HealthCheckResponse.SERVING
    assert probe(full.grpc_address, "ferrite.v1.CacheService") == 1
    with pytest.raises(grpc.RpcError) as error:
        probe(full.grpc_address, "nothing")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    done = ferrite(full, "ping")
    assert done.returncode == 0 and "serving" in done.stdout, done
    assert http_get(full.http_address, "/readyz")[0] == 200
    assert rejected(full) == 0


def test_every_other_call_is_told_why(full):
    with CacheClient(full.grpc_address) as client:
        for call, request in [
            (client.Get, GetRequest(key=b"k")),
            (client.Set, SetRequest(key=b"k", value=b"v" * 1_000_000)),
            (client.Scan, ScanRequest()),
            (client.Subscribe, SubscribeRequest(channels=[b"c"])),
            (client.Pipeline, iter([PipelineRequest()])),
        ]:
            assert_says_why(failure_from(call, request))
        with pytest.raises(grpc.RpcError) as error:
            client.Get(GetRequest(key=b"k"))
        trailers = dict(error.value.trailing_metadata())
        assert 250 <= int(trailers["grpc-retry-pushback-ms"]) <= 750
        assert_says_why(failure_of(error.value))
    counts = scrape(full)
    assert counts.total("ferrite_refused_total", reason="overloaded") == 6
    assert counts.total("ferrite_shed_total", reason="connections") == 6
    told = [line for line in full.log().splitlines() if "(calls refused: " in line]
    assert len(told) == 1 and "--max-connections" in told[0], "once in a while"


def test_the_command_is_told_why(full):
    for arguments in (["get", "k"], ["set", "k", "v"], ["scan"], ["bench", "--count", "10"]):
        done = ferrite(full, *arguments)
        assert done.returncode == 2 and "--max-connections" in done.stderr, done


def test_a_refused_connection_is_counted_once(full):
    connection = Http2Connection(full.grpc_address)
    status = connection.call("/ferrite.v1.CacheService/Get", b"")
    assert status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert rejected(full) == 1
    connection.close()
    assert rejected(full) == 1


def test_a_client_that_was_refused_is_served_when_there_is_a_place(full):
    with CacheClient(full.grpc_address) as client:
        assert_says_why(failure_from(client.Get, GetRequest(key=b"k")))
        full.holders.pop().close()

        def stored():
            try:
                return client.Set(SetRequest(key=b"k", value=b"v")).stored
            except grpc.RpcError:
                return False

        eventually(stored, bool, "the place is free again")


def test_a_flood_keeps_no_probe_out_and_is_told_why(full):
    host, _, port = full.grpc_address.rpartition(":")
    flood = []
    for _ in range(20):
        for _ in range(10 * MOST_LOCAL_GUESTS):
            flood.append(socket.create_connection((host, int(port)), timeout=HANG_S))
        assert probe(full.grpc_address) == health_pb2.HealthCheckResponse.SERVING
        for connection in flood[:-1]:
            connection.close()
        del flood[:-1]
    flood.pop().close()
    assert rejected(full) >= 20 * 9 * MOST_LOCAL_GUESTS
    assert all(holder.call(CHECK, b"") == 0 for holder in full.holders), "others are not disturbed"


def test_who_is_displaced_reads_why(full):
    first = Http2Connection(full.grpc_address)
    later = [Http2Connection(full.grpc_address) for _ in range(MOST_LOCAL_GUESTS)]
    with pytest.raises(ConnectionResetError, match="GOAWAY.*max-connections"):
        first.status_of(1)
    for connection in [first, *later]:
        connection.close()


def test_who_stays_for_long_is_sent_away(full):
    with Http2Connection(full.grpc_address) as connection:
        assert connection.call(CHECK, b"") == 0
        with pytest.raises(ConnectionResetError, match="GOAWAY.*max-connections"):
            connection.status_of(99)


def test_garbage_ends_its_connection_only(full):
    host, _, port = full.grpc_address.rpartition(":")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, os.urandom(10_000)):
        with socket.create_connection((host, int(port)), timeout=HANG_S) as connection:
            connection.sendall(garbage)
            while connection.recv(1000):
                pass
    assert probe(full.grpc_address) == health_pb2.HealthCheckResponse.SERVING


def test_a_unix_domain_socket_has_room_for_probes_too():
    with tempfile.TemporaryDirectory(prefix="f") as folder:
        with FullServer(listen=f"127.0.0.1:0,unix:{folder}/g"):
            assert probe(f"unix:{folder}/g") == health_pb2.HealthCheckResponse.SERVING
            with CacheClient(f"unix:{folder}/g") as client:
                assert_says_why(failure_from(client.Get, GetRequest(key=b"k")))


def test_few_descriptors_leave_room_for_probes():
    with ServerProcess(open_files=60) as server:
        idle = []
        for address in (server.grpc_address, server.http_address):
            host, _, port = address.rpartition(":")
            for _ in range(60):
                idle.append(socket.create_connection((host, int(port)), timeout=HANG_S))
        assert probe(server.grpc_address) == health_pb2.HealthCheckResponse.SERVING
        assert http_get(server.http_address, "/readyz")[0] == 200
        for connection in idle:
            connection.close()


def test_a_limit_of_descriptors_is_named_as_such():
    with ServerProcess(open_files=80) as server:
        # Too few descriptors for the connections, and some left for those who are refused.
        connections = []

        def refusal():
            with CacheClient(server.grpc_address) as client:
                try:
                    client.Get(GetRequest(key=b"k"))
                except grpc.RpcError as error:
                    return failure_of(error)
                connections.append(Http2Connection(server.grpc_address))
                return None

        failure = eventually(refusal, bool, "the descriptors are used up")
        assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED, failure
        assert "ulimit -n" in failure.message and "--max-connections" in failure.message
        assert rejected(server, "descriptors") >= 1 and rejected(server, "limit") == 0
        for connection in connections:
            connection.close()
