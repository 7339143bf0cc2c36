"""The pytest fixtures of all Python tests, loaded by `-p ferrite_fixtures`."""

import itertools

import pytest
from cache_client import CacheClient
from server_process import ServerProcess

_key_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server():
    """A server with default settings, shared by all tests of a file."""
    with ServerProcess() as process:
        yield process


@pytest.fixture(scope="module")
def client(server):
    with CacheClient(server.grpc_address) as connected:
        yield connected


@pytest.fixture
def key(request):
    """A key that no other test uses."""
    return f"{request.node.name}#{next(_key_numbers)}".encode()
