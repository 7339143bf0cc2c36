"""The server and the command while the wall clock is set, by half a minute to a day, forth and back:
nothing waits longer than without.

What would be late is so by the size of the step, 40 s or more. So what must happen has to happen
within half of that, which is far more than it takes.
"""

import json
import os
import socket
import subprocess
import threading
import time

import pytest
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess
from stalled_call import stall
from subscriber import Subscriber, publish
from wall_clock import WallClock

STEPS = (-40, 40, -86400, 86400)
SOON_S = 20

every_step = pytest.mark.parametrize("step", STEPS)


class InTime:
    """Fails if its block takes so long that it must have waited for the clock."""

    def __enter__(self):
        self._start = time.monotonic()

    def __exit__(self, *error):
        assert time.monotonic() - self._start < SOON_S, "it came late"


@pytest.fixture
def clock():
    return WallClock()


@every_step
def test_heartbeats_and_messages_between_threads_go_on(clock, step):
    # Each thread has a stream. One of them, which need not wake up for an hour, waits for the
    # network; all others wait for it.
    heartbeats_ms = [3_600_000, 3_600_000, 3_600_000, 100]
    with ServerProcess("--threads=4", env=clock.environment) as server:
        clients = [CacheClient(server.grpc_address) for _ in heartbeats_ms]
        followers = [
            Subscriber(client, channels=[b"c"], heartbeat_ms=heartbeat_ms)
            for client, heartbeat_ms in zip(clients, heartbeats_ms)
        ]
        assert followers[-1].next_event().HasField("heartbeat")
        for _ in range(3):
            clock.step(step)
            with InTime():
                for _ in range(2):
                    assert followers[-1].next_event().HasField("heartbeat")
        with InTime():
            publish(clients[0], b"c", b"hello")
            for follower in followers:
                assert follower.take_payloads(1) == [b"hello"]
            for client in clients:
                client.Set(SetRequest(key=b"k", value=b"v"), timeout=SOON_S)
            for follower in followers:
                follower.cancel()
        for client in clients:
            client.close()


@every_step
def test_sigterm_keeps_its_grace(clock, step):
    with ServerProcess("--shutdown-grace=2s", "--threads=4", env=clock.environment) as server:
        with CacheClient(server.grpc_address) as client, stall(server, client):
            server.terminate()
            eventually(server.log, lambda log: "SIGTERM" in log, "the end has begun")
            clock.step(step)
            with InTime():
                assert server.wait()[0] == 0


@every_step
def test_connections_end_by_their_age(clock, step):
    with ServerProcess("--max-connection-age=2s", "--threads=4", env=clock.environment) as server:
        with CacheClient(server.grpc_address) as client, InTime():
            client.Get(GetRequest(key=b"k"))
            connection = Http2Connection(server.grpc_address)
            clock.step(step)
            with pytest.raises(ConnectionResetError):
                while True:
                    connection.take_frame()


def test_a_client_that_says_nothing_is_hung_up_on(clock):
    with ServerProcess(env=clock.environment) as server:
        host, _, port = server.grpc_address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=60) as mute, InTime():
            with CacheClient(server.grpc_address) as client:
                client.Get(GetRequest(key=b"k"))
            clock.step(-86400)
            while mute.recv(4096):
                pass


@every_step
def test_relative_times_to_live_do_not_notice(clock, step):
    with ServerProcess(env=clock.environment) as server:
        with CacheClient(server.grpc_address) as client:
            client.Set(SetRequest(key=b"short", value=b"v", ttl_ms=1000))
            client.Set(SetRequest(key=b"long", value=b"v", ttl_ms=600_000))
            clock.step(step)
            with InTime():
                read = lambda: client.Get(GetRequest(key=b"short")).found
                eventually(read, lambda found: not found, "its time is over")
            left_ms = client.Get(GetRequest(key=b"long")).ttl_ms
            assert 500_000 < left_ms <= 600_000


def test_a_unix_time_of_expiry_follows_the_clock(clock):
    with ServerProcess(env=clock.environment) as server:
        with CacheClient(server.grpc_address) as client:
            at_ms = round(time.time() * 1000) + 3_600_000
            client.Set(SetRequest(key=b"k", value=b"v", expire_at_unix_ms=at_ms))
            ttl_ms = lambda: client.Get(GetRequest(key=b"k")).ttl_ms
            clock.step(-86400)
            assert 86_400_000 < ttl_ms() <= 90_000_000
            clock.step(86400 + 3000)
            assert 0 < ttl_ms() <= 600_000
            clock.step(600)
            assert not client.Get(GetRequest(key=b"k")).found


class Watch:
    """A running `ferrite subscribe`, whose lines are taken one by one."""

    def __init__(self, address, clock):
        self._process = subprocess.Popen(
            [os.environ["FERRITE_CLI_BINARY"], "--server", address, "--json", "subscribe", "c"],
            env={**os.environ, **clock.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._timer = threading.Timer(60, self._process.kill)
        self._timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._timer.cancel()
        self._process.kill()
        self._process.wait()

    def next_of(self, kind):
        for line in self._process.stdout:
            event = json.loads(line)
            if event.get("event") == kind:
                return event
        raise AssertionError("the command ended")


@every_step
def test_the_command_connects_again(clock, step):
    with ServerProcess() as server:
        grpc_port = server.grpc_address.rpartition(":")[2]
        with Watch(server.grpc_address, clock) as watch:
            watch.next_of("acknowledgement")
            server.stop()
            clock.step(step)
            with ServerProcess(grpc_port=grpc_port), InTime():
                watch.next_of("acknowledgement")
