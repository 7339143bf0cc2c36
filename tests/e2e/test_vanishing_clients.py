"""Clients that disappear in the middle of calls.

Their calls are executed or not, and the server keeps nothing of them.
"""

import os
import signal
import subprocess
import sys

from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, IncrRequest, MSetRequest, ScanRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess

INCR = "/ferrite.v1.CacheService/Incr"
SCAN = "/ferrite.v1.CacheService/Scan"
SET = "/ferrite.v1.CacheService/Set"

# A client that keeps 200 calls in flight until it is killed, and prints "busy" once it has begun.
BUSY_CLIENT = """
import sys
from cache_client import CacheClient
from ferrite.v1.cache_pb2 import IncrRequest, MGetRequest, ScanRequest
client = CacheClient(sys.argv[1])
keys = [b"fill/%d" % number for number in range(500)]
calls = [client.cache.MGet.future(MGetRequest(keys=keys)) for _ in range(200)]
streams = [client.Scan(ScanRequest(with_values=True)) for _ in range(20)]
next(streams[0])
client.Incr(IncrRequest(key=b"count"))
print("busy", flush=True)
while True:
    for index, call in enumerate(calls):
        call.result()
        calls[index] = client.cache.MGet.future(MGetRequest(keys=keys))
"""


def assert_nothing_stays(client):
    eventually(
        lambda: client.Stats(StatsRequest()),
        lambda stats: stats.connections == 1 and stats.inflight_requests == 1,
        "only this connection and this call remain",
    )


def resident_bytes(server):
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fill(client):
    client.MSet(
        MSetRequest(
            entries=[SetRequest(key=b"fill/%d" % n, value=b"v" * 1000) for n in range(1000)]
        )
    )


def test_clients_killed_with_calls_in_flight(server, client):
    fill(client)
    clients = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", BUSY_CLIENT, server.grpc_address],
            stdout=subprocess.PIPE,
            env=os.environ,
        )
        for _ in range(2)
    ]
    for process in clients:
        assert process.stdout.readline() == b"busy\n"
    for process in clients:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert_nothing_stays(client)
    assert client.Get(GetRequest(key=b"count")).value == b"2"


def test_connections_reset_in_the_middle_of_calls(server, client, key):
    fill(client)
    incr = IncrRequest(key=key).SerializeToString()
    for _ in range(50):
        connection = Http2Connection(server.grpc_address)
        for _ in range(20):
            connection.start_call(INCR, incr)
        connection.start(SET)  # its message never arrives
        connection.start_call(SCAN, ScanRequest(with_values=True).SerializeToString())
        connection.reset()
    assert_nothing_stays(client)
    done = client.Incr(IncrRequest(key=key, delta=0)).value
    assert 0 <= done <= 1000
    assert client.Incr(IncrRequest(key=key)).value == done + 1, "nothing arrives afterwards"


def test_calls_cancelled_at_once(server, client, key):
    with Http2Connection(server.grpc_address) as connection:
        for number in range(500):
            if number % 2:
                request = SetRequest(key=key, value=b"v")
                connection.cancel(connection.start_call(SET, request.SerializeToString()))
            else:
                connection.cancel(connection.start(SET))
        assert connection.call(SET, SetRequest(key=key, value=b"w").SerializeToString()) == 0
    assert_nothing_stays(client)
    # Several threads serve the calls of one connection: a cancelled call may still be executed
    # after the last one, but not when nothing is in progress any more.
    assert client.Get(GetRequest(key=key)).value in (b"v", b"w")
    client.Set(SetRequest(key=key, value=b"w"))
    assert client.Get(GetRequest(key=key)).value == b"w"


def test_a_client_that_does_not_read_its_scan_blocks_nobody():
    with ServerProcess("--shutdown-grace=1s") as server, CacheClient(server.grpc_address) as client:
        for number in range(64):
            client.Set(SetRequest(key=b"%d" % number, value=b"v" * (1 << 20)))
        resident_before = resident_bytes(server)
        stalled = Http2Connection(server.grpc_address)
        for _ in range(10):
            stalled.start_call(SCAN, ScanRequest(with_values=True).SerializeToString())
        # Each stalled scan is in flight and holds at most a few messages; everybody else is served.
        eventually(
            lambda: client.Stats(StatsRequest()).inflight_requests,
            lambda count: count == 11,
            "the scans are in flight",
        )
        for number in range(64):
            assert len(client.Get(GetRequest(key=b"%d" % number)).value) == 1 << 20
        grown = resident_bytes(server) - resident_before
        assert grown < 320 << 20, f"ten stalled scans buffer {grown} bytes of the store"
        server.stop()
        stalled.close()
