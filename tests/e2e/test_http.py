"""The HTTP side: methods and paths as people expect them, and clients that mean no good."""

import gzip
import http.client
import re
import socket

import pytest
from eventually import eventually
from exposition import Metrics, scrape
from server_process import HANG_S, ServerProcess

PATHS = ("/metrics", "/healthz", "/readyz")
# As README says.
MAX_CONNECTIONS = 32
MAX_REQUEST_BYTES = 16 << 10


def ask(server, method, path, headers=None, body=None):
    """Returns (status, headers, body)."""
    connection = http.client.HTTPConnection(server.http_address, timeout=HANG_S)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def connect(server):
    host, _, port = server.http_address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=HANG_S)


def rejected(server, reason):
    return scrape(server).total("ferrite_connections_rejected_total", reason=reason)


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(server, path):
    status, headers, body = ask(server, "GET", path)
    assert status == 200 and body
    head_status, head_headers, head_body = ask(server, "HEAD", path)
    assert (head_status, head_body) == (200, b"")
    assert head_headers["Content-Type"] == headers["Content-Type"]
    assert int(head_headers["Content-Length"]) > 0
    if path != "/metrics":
        assert head_headers["Content-Length"] == headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_not_allowed(server, method, path):
    status, headers, body = ask(server, method, path, body=b"x" if method == "POST" else None)
    assert status == 405 and headers["Allow"] == "GET, HEAD" and b"GET and HEAD" in body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metricsx", "/Metrics", "/nothing", "//"])
def test_an_unknown_path_is_told_the_known_ones(server, path):
    status, _, body = ask(server, "GET", path)
    assert status == 404
    for known in PATHS:
        assert known.encode() in body
    assert ask(server, "HEAD", path)[::2] == (404, b"")


def test_a_query_does_not_matter(server):
    assert ask(server, "GET", "/readyz?verbose=1")[::2] == (200, b"ready\n")


def test_metrics_are_compressed_for_those_who_accept_it(server):
    plain = ask(server, "GET", "/metrics")
    assert "Content-Encoding" not in plain[1]
    for accepts in ("gzip", "deflate, GZIP;q=0.5", "br, gzip"):
        _, headers, body = ask(server, "GET", "/metrics", {"Accept-Encoding": accepts})
        assert headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
        assert set(Metrics(gzip.decompress(body).decode())) == set(Metrics(plain[2].decode()))
        assert len(body) < len(plain[2]) / 4
    for accepts in ("identity", "gzip;q=0", "br", "xgzip"):
        assert "Content-Encoding" not in ask(server, "GET", "/metrics", {"Accept-Encoding": accepts})[1]


def test_requests_beyond_the_limit_are_refused(server):
    for size in (MAX_REQUEST_BYTES, 10 * MAX_REQUEST_BYTES):
        with connect(server) as connection:
            try:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * size)
                answer = connection.recv(100)
            except ConnectionError:
                answer = b""
            assert answer.split(b" ")[1:2] in ([], [b"431"], [b"413"], [b"414"]), answer
    assert ask(server, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize("said", [b"", b"GET /metrics HT", b"GET /metrics HTTP/1.1\r\nHost: x\r\n"])
def test_peers_that_say_too_little_keep_no_probe_out(said):
    with ServerProcess() as server:
        held = []
        for _ in range(10 * MAX_CONNECTIONS):
            held.append(connect(server))
            held[-1].sendall(said)
        assert ask(server, "GET", "/readyz")[::2] == (200, b"ready\n")
        assert rejected(server, "http_limit") >= 9 * MAX_CONNECTIONS
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            threads = int(status.read().partition("Threads:")[2].split()[0])
        assert threads < 40
        for connection in held:
            connection.close()


def test_peers_that_do_not_read_keep_no_probe_out():
    with ServerProcess() as server:
        held = []
        for _ in range(4 * MAX_CONNECTIONS):
            connection = connect(server)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            held.append(connection)
        assert ask(server, "GET", "/readyz")[::2] == (200, b"ready\n")
        for connection in held:
            connection.close()


def test_a_connection_does_not_live_for_long():
    with ServerProcess() as server, connect(server) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert connection.recv(1) == b"", "closed, though not at once"
        assert eventually(
            lambda: rejected(server, "http_timeout"), lambda count: count >= 1, "it is counted"
        )


def test_the_end_comes_at_once():
    """A library that looks up from its port every 2 s would hold up every restart."""
    with ServerProcess() as server, connect(server):
        server.terminate()
        code, _ = server.wait()
        assert code == 0
        first, *_, last = [line for line in server.log().splitlines() if re.search("end(ing|ed)", line)]
        assert "ending within" in first and last.endswith("ended")
