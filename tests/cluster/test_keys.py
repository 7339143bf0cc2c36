"""What keys hold while nodes come, go, and lose sight of each other. Any node answers for all of them."""

import grpc
import pytest
from cache_client import CALL_S, failure_of
from cluster_processes import SLOTS, Etcd, Nodes, code_of, owner_of
from eventually import eventually
from ferrite.v1 import cluster_pb2
from ferrite.v1.cache_pb2 import GetRequest, IncrRequest, SetRequest

# A slot for each, all over the range.
KEYS = [f"key {number}".encode() for number in range(64)]


@pytest.fixture
def nodes():
    with Etcd() as etcd, Nodes(etcd, 3) as three:
        three.etcd = etcd
        three.await_owners()
        yield three


def slot_of(key):
    """CRC16/XMODEM, as the contract says."""
    crc = 0
    for byte in key:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x1021 if crc & 0x8000 else 0)
    return (crc & 0xFFFF) % SLOTS


def keys_of(node):
    topology = node.topology()
    return [key for key in KEYS if owner_of(topology, slot_of(key)) == node.id]


def answer_of(call, request):
    """The answer, as a client gets it that tries again while the slot changes hands: nothing has been done then."""

    def attempt():
        try:
            return call(request), None
        except grpc.RpcError as error:
            if failure_of(error).reason != "SLOT_IN_TRANSITION":
                raise
            return None, error

    return eventually(attempt, lambda outcome: outcome[1] is None, "the slot does not come to rest")[0]


def put(node, key, value):
    return answer_of(node.client.Set, SetRequest(key=key, value=value)).version


def value_of(node, key):
    return answer_of(node.client.Get, GetRequest(key=key)).value


def test_any_node_answers_for_every_key(nodes):
    n1, n2, n3 = nodes.living()
    for number, key in enumerate(KEYS):
        put((n1, n2, n3)[number % 3], key, b"%d" % number)
    for node in nodes.living():
        assert [value_of(node, key) for key in KEYS] == [b"%d" % number for number in range(len(KEYS))]
        assert 0 < len(keys_of(node)) < len(KEYS)


def test_versions_never_go_back_when_a_node_dies(nodes):
    n1, n2, _ = nodes.living()
    lost = keys_of(n2)
    before = {key: put(n1, key, b"before") for key in lost}
    n2.kill()
    nodes.await_owners(["n1", "n3"])
    for key in lost:
        assert not answer_of(n1.client.Get, GetRequest(key=key)).found  # slots that change owner arrive empty
        assert put(n1, key, b"after") > before[key]


def test_a_node_that_was_paused_never_gives_an_old_value(nodes):
    n1, n2, n3 = nodes.living()
    keys = keys_of(n2)
    before = {key: put(n2, key, b"old") for key in keys}
    n2.process.freeze()
    nodes.await_owners(["n1", "n3"], of=[n1, n3])
    after = {key: put(n1, key, b"new") for key in keys}
    assert all(after[key] > before[key] for key in keys)
    n2.process.thaw()
    for key in keys * 3:
        try:
            answer = n2.client.Get(GetRequest(key=key))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        else:
            # New, or gone: the slot may have come back to n2 by now, and arrives empty.
            assert answer.value in (b"new", b""), answer
    nodes.await_owners()
    for key in keys:
        assert value_of(n2, key) in (b"new", b"")


def test_what_a_node_keeps_is_there_when_etcd_comes_back(nodes):
    n1, n2, _ = nodes.living()
    for key in KEYS:
        put(n1, key, b"kept")
    nodes.etcd.kill()
    own = keys_of(n2)[0]
    eventually(lambda: code_of(n2.client.Get, GetRequest(key=own)), lambda code: code == grpc.StatusCode.UNAVAILABLE,
               "n2 serves without a right")
    nodes.etcd.start()
    for node in nodes.living():
        eventually(node.witness, lambda witness: witness.may_serve_ms > 0, f"{node.id} does not serve again")
    for node in nodes.living():
        assert [eventually(lambda node=node, key=key: code_of(node.client.Get, GetRequest(key=key)),
                           lambda code: code == grpc.StatusCode.OK, "a key is not served again") for key in KEYS]
        assert {value_of(node, key) for key in KEYS} == {b"kept"}


def test_no_increment_is_answered_twice_while_slots_move(nodes):
    n1, _, n3 = nodes.living()
    key = keys_of(n3)[0]
    answers = []
    n3.client.cluster.Drain(cluster_pb2.DrainRequest(), timeout=CALL_S)
    while owner_of(n1.topology(), slot_of(key)) in ("n3", None):
        try:
            answer = n1.client.Incr(IncrRequest(key=key))
            answers.append((answer.version, answer.value))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    versions = [version for version, _ in answers]
    assert versions == sorted(set(versions))
    moved = answer_of(n1.client.Incr, IncrRequest(key=key))
    assert not answers or moved.version > versions[-1]
