"""What calls through any node cost when others refuse, are frozen, or hold large values."""

import grpc
import pytest
from cache_client import CALL_S, UNLIMITED_MESSAGES, CacheClient, failure_of
from cluster_processes import Etcd, Nodes
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import MGetRequest, MSetRequest, PEER_UNREACHABLE, SetRequest
from test_keys import KEYS, answer_of, keys_of, put, value_of

MIB = 1 << 20


@pytest.fixture
def nodes():
    with Etcd() as etcd, Nodes(etcd, 3) as three:
        three.await_owners()
        yield three


def refusals(node):
    counts = scrape(node.process).of("ferrite_refused_total")
    return {dict(labels)["reason"]: count for labels, count in counts.items() if count > 0}


def test_a_refusal_is_counted_once_by_the_node_that_refused(nodes):
    n1, n2, _ = nodes.living()
    key = keys_of(n2)[0]
    for node in nodes.living():
        assert "value_too_large" not in refusals(node)
    with pytest.raises(grpc.RpcError) as failed:
        n1.client.Set(SetRequest(key=key, value=b"v" * (MIB + 1)))
    assert failure_of(failed.value).reason == "VALUE_TOO_LARGE"
    assert "value_too_large" not in refusals(n1)
    assert refusals(n2)["value_too_large"] == 1
    # A batch none of whose keys has an answer counts as many as it has keys.
    before = refusals(n1)
    lost = keys_of(n2)[:2]
    n2.kill()
    with pytest.raises(grpc.RpcError) as failed:
        n1.client.MGet(MGetRequest(keys=lost))
    assert failure_of(failed.value).reason == "PEER_UNREACHABLE"
    assert refusals(n1).get("peer_unreachable", 0) - before.get("peer_unreachable", 0) == 2


def test_a_frozen_node_costs_only_its_own_keys(nodes):
    n1, n2, _ = nodes.living()
    for key in KEYS:
        put(n1, key, b"v")
    lost = set(keys_of(n2))
    n2.process.freeze()
    # Until others own its slots.
    seen = set()
    while "n2" in {node for node in owners(n1)}:
        answer = n1.client.MGet(MGetRequest(keys=KEYS), timeout=1)
        failed = {KEYS[error.index] for error in answer.errors}
        seen |= {error.error.reason for error in answer.errors}
        assert failed <= lost
        for key, result in zip(KEYS, answer.results):
            assert key in lost or result.value == b"v"
    assert PEER_UNREACHABLE in seen
    n2.process.thaw()
    nodes.await_owners()


def owners(node):
    topology = node.topology()
    return [topology.nodes[slots.owner].node_id for slots in topology.slots]


def test_large_values_go_through_any_node(nodes):
    n1 = nodes["n1"]
    with CacheClient(n1.address, UNLIMITED_MESSAGES) as large:
        for number, key in enumerate(KEYS[:12]):
            large.Set(SetRequest(key=key, value=bytes([number]) * MIB))
        for number, key in enumerate(KEYS[:12]):
            assert value_of(n1, key) == bytes([number]) * MIB
        entries = [SetRequest(key=key, value=b"m" * 300_000) for key in KEYS[:6]]
        assert all(result.response.stored for result in answer_of(large.MSet, MSetRequest(entries=entries)).results)
        read = large.MGet(MGetRequest(keys=KEYS[:6]), timeout=CALL_S)
        assert [len(result.value) for result in read.results] == [300_000] * 6
    # What they answered is let go of.
    for node in nodes.living():
        eventually(lambda node=node: scrape(node.process).total("ferrite_cluster_reply_bytes"), lambda count: count == 0,
                   f"{node.id} keeps answers of others")
        eventually(lambda node=node: scrape(node.process).total("ferrite_cluster_lane_bytes"), lambda count: count == 0,
                   f"{node.id} keeps operations")
