"""Subscribers that disappear: their streams end, and nothing is queued for them any more."""

import os
import signal
import subprocess
import sys

import pytest
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import SLOW_CONSUMER_POLICY_COALESCE, SubscribeRequest
from http2_connection import Http2Connection
from server_process import ServerProcess
from subscriber import Subscriber, publish, wait_for_receivers

SUBSCRIBE = "/ferrite.v1.CacheService/Subscribe"

# A program with a hundred streams that reads every second one until it is killed. It prints
# "listening" when all of them are acknowledged.
LISTENING_CLIENT = """
import sys
from cache_client import CacheClient
from subscriber import Subscriber
client = CacheClient(sys.argv[1])
streams = [Subscriber(client, channels=[b"c"], key_prefixes=[b"k"]) for _ in range(100)]
print("listening", flush=True)
while True:
    for stream in streams[::2]:
        stream.take(1)
"""


def assert_nothing_stays(client, channel):
    wait_for_receivers(client, channel, 0)
    eventually(
        lambda: client.Stats(StatsRequest()),
        lambda stats: stats.connections == 1 and stats.inflight_requests == 1,
        "only this connection and this call remain",
    )


def begin_streams(connection, count, **request):
    message = SubscribeRequest(**request).SerializeToString()
    return [connection.start_call(SUBSCRIBE, message) for _ in range(count)]


def test_a_program_killed_while_it_listens(server, client):
    program = subprocess.Popen(
        [sys.executable, "-B", "-c", LISTENING_CLIENT, server.grpc_address],
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert program.stdout.readline() == b"listening\n"
    for number in range(1000):
        assert publish(client, b"c", b"%d" % number * 1000).receivers == 100
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()
    assert_nothing_stays(client, b"c")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_connections_that_end_while_nobody_reads_their_streams(server, client, key, how):
    connections = [Http2Connection(server.grpc_address) for _ in range(10)]
    for number, connection in enumerate(connections):
        begin_streams(connection, 20, channels=[key], slow_consumer_policy=number % 4)
    wait_for_receivers(client, key, 200)
    for number in range(200):
        assert publish(client, key, b"v" * 10_000).sequence
    for connection in connections:
        getattr(connection, how)()
    assert_nothing_stays(client, key)


def test_streams_cancelled_at_once(server, client, key):
    with Http2Connection(server.grpc_address) as connection:
        for _ in range(500):
            (stream,) = begin_streams(connection, 1, channels=[key], key_prefixes=[b""])
            connection.cancel(stream)
        (stays,) = begin_streams(connection, 1, channels=[key])
        wait_for_receivers(client, key, 1)
        connection.cancel(stays)
    assert_nothing_stays(client, key)


def test_streams_come_and_go_while_messages_arrive(server, client, key):
    """Streams are reset while all kinds of events are in flight to them."""
    with Subscriber(client, channels=[key]) as witness:
        sent = 0
        for _ in range(30):
            connection = Http2Connection(server.grpc_address)
            policy = SLOW_CONSUMER_POLICY_COALESCE
            streams = begin_streams(
                connection, 10, channels=[key], slow_consumer_policy=policy, max_queue_events=2
            )
            for number in range(20):
                publish(client, key, b"%d" % sent + b" " * 10_000)
                sent += 1
                if number == 10:
                    for stream in streams[::2]:
                        connection.cancel(stream)
            connection.reset()
        assert [int(payload) for payload in witness.take_payloads(sent)] == list(range(sent))
        wait_for_receivers(client, key, 1)
    assert_nothing_stays(client, key)


def test_a_client_that_vanished_leaves_its_place_to_another(key):
    with ServerProcess("--max-subscribers=20") as server, CacheClient(
        server.grpc_address
    ) as client:
        for _ in range(5):
            connection = Http2Connection(server.grpc_address)
            begin_streams(connection, 20, channels=[key])
            wait_for_receivers(client, key, 20)
            connection.reset()
            wait_for_receivers(client, key, 0)


def test_a_server_ends_in_time_although_subscribers_do_not_read(key):
    with ServerProcess("--shutdown-grace=1s") as server, CacheClient(
        server.grpc_address
    ) as client:
        stalled = [Http2Connection(server.grpc_address) for _ in range(4)]
        for policy, connection in enumerate(stalled):
            begin_streams(connection, 20, channels=[key], slow_consumer_policy=policy)
        wait_for_receivers(client, key, 80)
        for _ in range(200):
            assert publish(client, key, b"v" * 10_000).sequence
        server.stop()
        for connection in stalled:
            connection.close()
