"""Clusters of real nodes with one etcd on loopback, as tests/chaos starts them."""

import contextlib
import os
import sys

from harness import build, load, process, servers

for folder in ("tests/chaos", "tests/e2e"):
    sys.path.insert(0, str(build.ROOT / folder))

import cluster

NODES = 3
LEASE_TTL_S = cluster.LEASE_TTL_S
# Longer than it may take until the slots of a node that is gone are served by others.
BOUND_S = 2 * LEASE_TTL_S + 1

pause = cluster.pause


@contextlib.contextmanager
def running(build_dir, *flags, cores=None):
    """A settled Cluster of three nodes; `cores`: where they run."""
    inside = process.pinned([], cores) if cores else ()
    made = cluster.on_loopback(servers.free_port, NODES, *flags, inside=inside)
    with _programs(build_dir / "bin"):
        try:
            made.start()
            yield made
        finally:
            made.end()


@contextlib.contextmanager
def _programs(binaries):
    """What tests/chaos finds its programs by. Servers that others start must not see these variables."""
    variables = {
        "FERRITE_SERVER_BINARY": str(binaries / "ferrite-server"),
        "FERRITE_CLI_BINARY": str(binaries / "ferrite"),
        "CHAOS_LOAD_BINARY": str(binaries / "chaos-load"),
    }
    os.environ |= variables
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def judged_load(made, prefix):
    """Clients that write down what they are told (tests/chaos)."""
    return cluster.Load(made, prefix)


def addresses(made):
    return [node.address for node in made.nodes.values()]


def pids(made):
    return [node.pid for node in made.nodes.values()]


def load_cores():
    return load.split_cores()[1]


def server_cores():
    return load.split_cores()[0]
