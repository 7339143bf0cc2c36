"""What signals do: two end the server, and those that mean "reload" to others do not."""

import os
import signal
import subprocess

import pytest
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from server_process import ServerProcess
from stalled_call import stall


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_that_ask_to_reload_are_heard_and_end_nothing(number):
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        client.Set(SetRequest(key=b"k", value=b"v"))
        server.signal(number)
        eventually(server.log, lambda log: number.name in log, "the log tells of it")
        assert client.Get(GetRequest(key=b"k")).value == b"v"


def test_a_broken_pipe_is_nothing():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        server.signal(signal.SIGPIPE)
        assert not client.Get(GetRequest(key=b"k")).found


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_the_second_one_ends_it_at_once(first, second):
    with ServerProcess("--shutdown-grace=1h") as server, CacheClient(server.grpc_address) as client:
        connection = stall(server, client)
        server.signal(first)
        eventually(server.log, lambda log: "ending within" in log, "it begins to end")
        server.signal(signal.SIGHUP)
        assert server.running()
        server.signal(second)
        server.await_end(-second)
        connection.close()


def test_the_second_one_ends_the_first_process_of_a_container_too():
    """The kernel spares such a process whatever it does not handle."""
    inside = ["unshare", "--pid", "--fork", "--kill-child", "--"]
    if subprocess.run([*inside, "true"], check=False).returncode != 0:
        pytest.skip("no process namespace can be made here")
    with ServerProcess("--shutdown-grace=1h", inside=inside) as server:
        with open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="ascii") as children:
            first_process = int(children.read())
        with CacheClient(server.grpc_address) as client:
            connection = stall(server, client)
            os.kill(first_process, signal.SIGTERM)
            eventually(server.log, lambda log: "ending within" in log, "it begins to end")
            os.kill(first_process, signal.SIGTERM)
            server.await_end(128 + signal.SIGTERM)
            connection.close()
