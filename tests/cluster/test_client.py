"""The C++ client library on a cluster, as `ferrite bench --mode auto` loads it: each call goes to the owner of its slot, and none
fails because nodes come, go or vanish.
"""

import json
import os
import re
import signal
import subprocess

import pytest
from cluster_processes import Etcd, Nodes, free_port
from eventually import eventually
from exposition import http_get
from server_process import HANG_S

# Longer than slots are without an owner after a node was killed.
CALL_TIMEOUT = f"--timeout={HANG_S}s"


@pytest.fixture
def nodes():
    with Etcd() as etcd, Nodes(etcd, 3) as three:
        three.await_owners()
        yield three


def command(servers, *words):
    return [os.environ["FERRITE_CLI_BINARY"], "--server", ",".join(servers), *words]


def ferrite(servers, *words):
    """Runs the command, which must succeed; returns what it prints."""
    done = subprocess.run(command(servers, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_S,
                          check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


class Load:
    """Calls that may be repeated, half of them writes, at a rate that leaves the machine room. Leaving the block ends it; no call
    must have failed.
    """

    def __init__(self, servers):
        words = ["bench", "--mode=auto", "--op=mixed", "--read-ratio=0.5", "--keys=1000", "--connections=1", "--rate=300", "--no-preload",
                 "--warmup=0s", "--duration=1h", "--json", CALL_TIMEOUT]
        self._process = subprocess.Popen(command(servers, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, error_type, *error):
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=2 * HANG_S)
        if error_type:
            print(out, err)
            return
        told = json.loads(out)
        assert told["all"]["errors"] == {}, (told, err)
        assert int(told["all"]["calls"]) > 0


def forwarded(nodes):
    """How many operations went through a node that did not own them."""
    total = 0
    for node in nodes.living():
        _, body, _ = http_get(node.process.http_address, "/metrics")
        total += sum(float(value) for value in re.findall(r"^ferrite_cluster_forwarded_total\S* (\S+)$", body, re.MULTILINE))
    return total


def calls(nodes):
    """How many of the load's calls the nodes have answered."""
    total = 0
    for node in nodes.living():
        _, body, _ = http_get(node.process.http_address, "/metrics")
        total += sum(float(value) for value in re.findall(r'^ferrite_cache_requests_total{op="(?:get|set)"\S* (\S+)$', body, re.MULTILINE))
    return total


def await_calls(nodes, count=100):
    before = calls(nodes)
    eventually(lambda: calls(nodes), lambda now: now >= before + count, "the load does not go on")


def test_calls_go_to_the_owner_of_their_slot(nodes):
    out = ferrite([nodes["n2"].address], "bench", "--mode=auto", "--op=mixed", "--keys=1000", "--connections=1", "--in-flight=16",
                  "--count=20000", "--warmup=0s", "--no-preload", "--json")
    made = int(json.loads(out)["all"]["calls"])
    assert made == 20000
    # Until the client knows the owners, its first node forwards; those are few.
    assert forwarded(nodes) < made / 10
    for node in nodes.living():
        assert 0 < calls(nodes)
    batches = ferrite([nodes["n2"].address], "bench", "--mode=auto", "--batch=16", "--op=mixed", "--keys=1000", "--connections=1",
                      "--in-flight=4", "--count=2000", "--warmup=0s", "--no-preload", "--json")
    assert int(json.loads(batches)["all"]["calls"]) == 2000


def test_no_call_fails_while_nodes_restart_one_after_the_other(nodes):
    with Load([node.address for node in nodes.living()]):
        await_calls(nodes)
        # Each comes back at another address, so that in the end no seed is left.
        for node_id in ("n1", "n2", "n3"):
            nodes[node_id].process.terminate()
            nodes[node_id].process.await_end(0)
            nodes.start(node_id)
            nodes.await_owners()
            await_calls(nodes)


def test_no_call_fails_when_a_node_is_killed(nodes):
    with Load([node.address for node in nodes.living()]):
        await_calls(nodes)
        nodes["n2"].kill()
        nodes.await_owners(["n1", "n3"])
        await_calls(nodes)


def test_one_seed_that_lives_is_enough(nodes):
    dead = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    with Load([*dead, nodes["n3"].address]):
        await_calls(nodes)


def test_the_command_asks_the_first_node_that_it_reaches(nodes):
    servers = [f"127.0.0.1:{free_port()}", nodes["n2"].address, nodes["n1"].address]
    for number in range(20):
        assert ferrite(servers, "set", f"key {number}", str(number)) == "stored\n"
    assert [ferrite(servers, "get", f"key {number}").strip() for number in range(20)] == [str(number) for number in range(20)]
    assert ferrite(servers, "incr", "counter") == "1\n"
    assert ferrite(servers, "ping").startswith(f"{nodes['n2'].address} is serving")
    assert json.loads(ferrite(servers, "cluster", "status", "--json"))["witness"]["node_id"] == "n2"
    assert ferrite(servers, "stats").startswith(nodes["n2"].address)
    assert len(ferrite(servers, "scan", "key ").splitlines()) == 20
