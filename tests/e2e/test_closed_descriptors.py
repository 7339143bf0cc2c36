"""A server that is started without some of its standard descriptors, as some supervisors do."""

import os

import pytest
from cache_client import CacheClient
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from server_process import ServerProcess


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2)])
def test_nothing_else_takes_their_place(closed):
    """A log line would otherwise go to whatever socket got the number."""
    redirections = " ".join(f"{number}<&-" for number in closed)
    inside = ["sh", "-c", f'exec "$0" "$@" {redirections}']
    with ServerProcess(inside=inside) as server, CacheClient(server.grpc_address) as client:
        for number in closed:
            assert os.readlink(f"/proc/{server.pid}/fd/{number}") == "/dev/null"
        client.Set(SetRequest(key=b"k", value=b"v"))
        assert client.Get(GetRequest(key=b"k")).value == b"v"
