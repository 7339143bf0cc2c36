"""The command `ferrite cluster`, against real nodes."""

import concurrent.futures
import json
import os
import signal
import subprocess

import grpc
import pytest
from cluster_processes import Etcd, Nodes, even, shares_of
from eventually import eventually
from ferrite.v1 import cluster_pb2, cluster_pb2_grpc
from server_process import HANG_S, ServerProcess


@pytest.fixture(scope="module")
def nodes():
    with Etcd() as etcd, Nodes(etcd, 3) as three:
        three.await_owners()
        yield three


def ferrite(address, *words):
    """Runs the command; returns (exit code, stdout, stderr)."""
    done = subprocess.run([os.environ["FERRITE_CLI_BINARY"], "--server", address, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=HANG_S, check=False)
    return done.returncode, done.stdout, done.stderr


def told(address, *words):
    code, out, err = ferrite(address, *words)
    assert (code, err) == (0, ""), (code, out, err)
    return out


def test_status_draws_nodes_and_slots(nodes):
    text = told(nodes["n1"].address, "cluster")
    assert text.startswith("cluster test, epoch ")
    for node in nodes.living():
        assert f"{node.id}    {node.address}" in text
    assert "0 AAA" in text and "C 16383" in text
    status = json.loads(told(nodes["n2"].address, "cluster", "status", "--json"))
    assert status["witness"]["node_id"] == "n2"
    assert status["slots_owned"] == "16384"
    assert [node["node_id"] for node in status["nodes"]] == ["n1", "n2", "n3"]


def test_a_node_is_drained_from_anywhere_and_may_stay(nodes):
    assert told(nodes["n1"].address, "cluster", "drain", "n3") == "n3 owns no slots and can be stopped\n"
    assert shares_of(nodes["n1"].topology()) == even(["n1", "n2"])
    assert "drains" in told(nodes["n1"].address, "cluster", "status")
    assert told(nodes["n2"].address, "cluster", "drain", "n3", "--undo") == "n3 stays\n"
    nodes.await_owners()


def test_draining_a_node_that_is_not_there_names_those_that_are(nodes):
    code, _, err = ferrite(nodes["n1"].address, "cluster", "drain", "n9")
    assert code == 2
    assert "no node 'n9' lives; those that do: n1, n2, n3" in err


def test_draining_with_a_slip_suggests_the_name(nodes):
    code, _, err = ferrite(nodes["n1"].address, "cluster", "drain", "N1")
    assert code == 2 and "no node 'N1' lives; did you mean n1?" in err


def test_flush_empties_all_nodes_or_the_one_that_is_named(nodes):
    lines = "".join(f"key{number},value\n" for number in range(300))
    fill = lambda: subprocess.run([os.environ["FERRITE_CLI_BINARY"], "--server", nodes["n1"].address, "load", "--format", "csv"],
                                  input=lines, text=True, capture_output=True, check=True)
    fill()
    assert told(nodes["n2"].address, "flush", "--yes", "--node", "n3").endswith(" of cluster test\n")
    left = told(nodes["n1"].address, "scan").splitlines()
    assert 0 < len(left) < 300
    fill()
    out = told(nodes["n2"].address, "flush", "--yes")
    assert sorted(line.split(":")[0] for line in out.splitlines()[:-1]) == ["n1", "n2", "n3"]
    assert out.splitlines()[-1] == "deleted 300 entries of cluster test"
    assert told(nodes["n1"].address, "scan") == ""
    fill()
    outcome = json.loads(told(nodes["n1"].address, "--json", "flush", "--yes"))
    assert outcome["deleted"] == "300"
    assert sorted(node["node_id"] for node in outcome["nodes"]) == ["n1", "n2", "n3"]
    code, _, err = ferrite(nodes["n1"].address, "flush", "--yes", "--node", "n9")
    assert code == 2 and "no node 'n9' lives" in err


def test_rebalancing_what_is_even_moves_nothing_whoever_is_asked(nodes):
    for node in nodes.living():
        assert told(node.address, "cluster", "rebalance", "--dry-run") == "the shares are even: nothing moves\n"
        assert eventually(lambda node=node: ferrite(node.address, "cluster", "rebalance"), lambda done: done[0] == 0,
                          "nobody rebalances")[1] == "the shares are even: nothing moves\n"


def test_watch_follows_changes(nodes):
    command = ["setpriv", "--pdeathsig", "KILL", "--", os.environ["FERRITE_CLI_BINARY"], "--server", nodes["n1"].address,
               "cluster", "watch", "--json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as watch:
        first = json.loads(watch.stdout.readline())
        assert len(first["nodes"]) == 3
        told(nodes["n2"].address, "cluster", "drain", "n3", "--no-wait")
        for line in watch.stdout:
            if {slots["owner"] for slots in json.loads(line)["slots"]} == {"n1", "n2"}:
                break
        watch.terminate()
    told(nodes["n2"].address, "cluster", "drain", "n3", "--undo")
    nodes.await_owners()


def test_a_node_of_no_cluster_says_so():
    with ServerProcess() as server:
        assert "is part of no cluster and serves all slots" in told(server.grpc_address, "cluster")
        code, _, err = ferrite(server.grpc_address, "cluster", "rebalance")
        assert code == 2 and "this node is part of no cluster" in err
        code, _, err = ferrite(server.grpc_address, "cluster", "drain", "n1")
        assert code == 2 and "part of no cluster" in err


def test_what_is_about_one_server_never_tells_of_another():
    with ServerProcess() as first, ServerProcess() as second:
        both = f"{first.grpc_address},{second.grpc_address}"
        command = ["setpriv", "--pdeathsig", "KILL", "--", os.environ["FERRITE_CLI_BINARY"], "--server", both, "--json", "run", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as script:
            def say(line):
                script.stdin.write(line + "\n")
                script.stdin.flush()
                return json.loads(script.stdout.readline())
            assert say("info")["pid"] == str(first.pid)
            first.signal(signal.SIGKILL)
            first.await_end(-signal.SIGKILL)
            assert first.grpc_address in say("info").get("error", {}).get("message", "")  # rather than an answer of the second
            assert say("info")["pid"] == str(second.pid)  # which is asked from now on
            assert say("ping")["server"] == second.grpc_address
            script.stdin.close()


class OddTopology(cluster_pb2_grpc.ClusterServiceServicer):
    """5,000 nodes, some of them with names that no node may have."""

    NODES = 5000

    def GetTopology(self, request, context):
        odd = {7: "\x1b[31mred\x1b[0m", 8: "two\nlines", 9: "", 10: "x" * 128}
        nodes = [cluster_pb2.TopologyNode(node_id=odd.get(number, f"node-{number}"), boot_id=number + 1,
                                          address=f"10.0.0.1:{number + 1}", zone="zone\x07" if number == 11 else "z")
                 for number in range(self.NODES)]
        slots = [cluster_pb2.TopologySlots(first=slot, last=slot, owner=slot % self.NODES, state=cluster_pb2.SLOT_STATE_SERVED)
                 for slot in range(16384)]
        return cluster_pb2.GetTopologyResponse(topology=cluster_pb2.Topology(cluster="odd", epoch=1, nodes=nodes, slots=slots))


def test_status_of_5000_nodes_with_odd_names():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    cluster_pb2_grpc.add_ClusterServiceServicer_to_server(OddTopology(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        text = told(f"127.0.0.1:{port}", "cluster", "status")
        assert "node-4999" in text and "\x1b" not in text and "\x07" not in text
        assert 5000 < text.count("\n") < 5010
        status = json.loads(told(f"127.0.0.1:{port}", "cluster", "status", "--json"))
        assert len(status["nodes"]) == 5000
        assert status["nodes"][8]["node_id"] == "two\nlines"
        code, _, err = ferrite(f"127.0.0.1:{port}", "cluster", "drain", "NOSUCH")
        assert code == 2 and "and 4,992 more" in err and len(err) < 1000
        code, _, err = ferrite(f"127.0.0.1:{port}", "cluster", "drain", "node-4999x")
        assert code == 2 and "did you mean node-4999?" in err and len(err) < 1000
    finally:
        server.stop(None)


@pytest.mark.parametrize("words, complaint", [(["drain"], "NODE"), (["status", "n1"], "takes no NODE"),
                                              (["status", "--undo"], "is for cluster drain"),
                                              (["drain", "n1", "--dry-run"], "is for cluster rebalance"), (["nothing"], "ACTION")])
def test_words_that_do_not_fit_are_refused(words, complaint):
    code, _, err = ferrite("127.0.0.1:1", "cluster", *words)
    assert code == 2 and complaint in err
