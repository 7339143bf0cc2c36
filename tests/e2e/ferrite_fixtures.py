"""The pytest fixtures of every Python test: pytest is started with `-p ferrite_fixtures`."""

import itertools

import pytest
from cache_client import CacheClient
from server_process import ServerProcess

_key_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server():
    """One server with default settings for all tests of a file."""
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
