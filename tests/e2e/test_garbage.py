"""Bytes that are neither gRPC nor HTTP, and clients that stop half-way:
the server keeps serving.
"""

import http.client
import random
import socket

import grpc
import pytest
from cache_client import CacheClient, failure_from
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from http2_connection import PREFACE, Http2Connection

EMPTY_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
HUGE_FRAME = b"\xff\xff\xff\0\0\0\0\0\1"
NO_SUCH_FRAME = b"\0\0\1\xee\0\0\0\0\0x"
DATA_ON_NO_STREAM = b"\0\0\1\0\0\0\0\0\7x"
BAD_HEADERS = b"\0\0\5\1\5\0\0\0\1\xff\xff\xff\xff\xff"

GARBAGE = [
    b"\0" * 100,
    b"\xff" * 10_000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"SET key value\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 500,
    PREFACE + b"\xff" * 1000,
    PREFACE + EMPTY_SETTINGS + HUGE_FRAME,
    PREFACE + EMPTY_SETTINGS + NO_SUCH_FRAME * 100,
    PREFACE + EMPTY_SETTINGS + DATA_ON_NO_STREAM,
    PREFACE + EMPTY_SETTINGS + BAD_HEADERS,
    random.Random(1).randbytes(100_000),
]


def connect(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def assert_serves(client, key):
    assert client.Set(SetRequest(key=key, value=b"v")).stored
    assert client.Get(GetRequest(key=key)).value == b"v"


def http_status(server, path):
    connection = http.client.HTTPConnection(server.http_address, timeout=60)
    connection.request("GET", path)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def send(connection, raw):
    """Sends as much as the peer accepts; it may hang up in between."""
    try:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    except OSError:
        pass


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_on_the_grpc_port(server, client, key, raw):
    for _ in range(20):
        with connect(server.grpc_address) as connection:
            send(connection, raw)
    assert_serves(client, key)


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_on_the_http_port(server, client, key, raw):
    for _ in range(5):
        with connect(server.http_address) as connection:
            send(connection, raw)
    assert http_status(server, "/healthz") == 200
    assert_serves(client, key)


def test_clients_that_stop_half_way_through_the_preface(server, client, key):
    connections = []
    for size in range(len(PREFACE)):
        connections.append(connect(server.grpc_address))
        connections[-1].sendall(PREFACE[:size])
    assert_serves(client, key)
    with CacheClient(server.grpc_address) as newcomer:
        assert_serves(newcomer, key)
    for connection in connections:
        connection.close()
    eventually(
        lambda: client.Stats(StatsRequest()).connections,
        lambda count: count == 1,
        "half-open connections are dropped",
    )
    assert_serves(client, key)


def test_a_message_that_never_arrives_completely(server, client, key):
    connections = [Http2Connection(server.grpc_address) for _ in range(20)]
    for connection in connections:
        stream = connection.start("/ferrite.v1.CacheService/Set")
        connection.send_part(stream, b"\0\0\0\0\x64only a part")
    assert_serves(client, key)
    for connection in connections:
        connection.reset()
    assert_serves(client, key)


def test_a_message_that_claims_to_be_gigantic(server, client, key):
    with Http2Connection(server.grpc_address) as connection:
        stream = connection.start("/ferrite.v1.CacheService/Set")
        connection.send_part(stream, b"\0\xff\xff\xff\xff" + b"x" * 1000)
        assert_serves(client, key)
    assert_serves(client, key)


STRANGE_PATHS = ["/ferrite.v1.CacheService/Nope", "/", "", "x", "/" + "G" * 5000, "/\x7f%00/%"]


@pytest.mark.parametrize("path", STRANGE_PATHS, ids=range(len(STRANGE_PATHS)))
def test_an_unknown_path_fails_only_its_own_call(server, client, key, path):
    with Http2Connection(server.grpc_address) as connection:
        assert connection.call(path, b"") != 0
    assert_serves(client, key)


def test_gzip_is_refused_and_the_connection_survives(client, key):
    request = SetRequest(key=key, value=b"v" * 100_000)
    failure = failure_from(client.Set, request, compression=grpc.Compression.Gzip)
    assert failure.code == grpc.StatusCode.UNIMPLEMENTED, failure
    assert not client.Get(GetRequest(key=key)).found
    assert_serves(client, key)


def test_unknown_http_paths_are_404(server):
    for path in ("/", "/nope", "/metrics/../../etc/passwd", "/healthzz", "/" + "x" * 4000):
        assert http_status(server, path) in (400, 404, 414), path
    assert http_status(server, "/healthz") == 200


def test_an_http_client_that_never_ends_its_request(server):
    connections = [connect(server.http_address) for _ in range(10)]
    for connection in connections:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
    try:
        assert http_status(server, "/healthz") == 200
    finally:
        for connection in connections:
            connection.close()
