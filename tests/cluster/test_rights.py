"""A policy in a cluster: what is forwarded is checked where it comes in, and executed for a node that shows who it is."""

import grpc
import pytest
from cache_client import failure_of
from certificates import Authority
from cluster_processes import Etcd, Nodes
from ferrite.v1 import cache_pb2, cluster_pb2_grpc
from ferrite.v1.cache_pb2 import (
    GetRequest,
    IncrRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    ScanRequest,
    SetRequest,
)
from policy import client_of, policy, token
from subscriber import Subscriber

ROLES = {
    "own": {
        "key_prefixes": ["own:"],
        "channel_prefixes": ["own."],
        "verbs": ["read", "write", "scan", "publish", "subscribe"],
    },
    "node": {
        "key_prefixes": [""],
        "channel_prefixes": [""],
        "verbs": ["read", "write", "delete", "scan", "publish", "subscribe"],
    },
}
BINDINGS = {"token:shop": ["own"], "token:other": ["own"], "token:node": ["node"]}
OWN = [b"own:%d" % number for number in range(64)]
SECRET = [b"secret:%d" % number for number in range(64)]


def authorize(node):
    """Has the node's client show a token, as its topology is not for everybody."""
    plain = node.client
    node.client = client_of(node.process, "node")
    node.client.cluster = cluster_pb2_grpc.ClusterServiceStub(node.client.channel)
    node.client.topology = lambda: type(plain).topology(node.client)
    plain.close()


def start(etcd, folder, peer_token):
    (folder / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    (folder / "token").write_text(token("node") + "\n", encoding="ascii")
    flags = [f"--policy={folder}/policy.yaml"]
    if peer_token:
        flags.append(f"--peer-token-file={folder}/token")
    nodes = Nodes(etcd, 0)
    for name in ("n1", "n2"):
        authorize(nodes.start(name, *flags))
    nodes.await_owners()
    return nodes


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with Etcd() as etcd, start(etcd, tmp_path_factory.mktemp("policy"), peer_token=True) as two:
        yield two


@pytest.fixture
def shop(nodes):
    with client_of(nodes["n1"].process, "shop") as client:
        yield client


def reasons(errors):
    return {error.error.reason for error in errors}


def test_what_the_caller_may_do_is_done_on_all_nodes(nodes, shop):
    for key in OWN:
        shop.Set(SetRequest(key=key, value=key))
    assert [r.value for r in shop.MGet(MGetRequest(keys=OWN)).results] == OWN
    assert {e.key for r in shop.Scan(ScanRequest(prefix=b"own:")) for e in r.entries} == set(OWN)
    for node in ("n1", "n2"):
        with client_of(nodes[node].process, "shop") as client:
            assert [client.Get(GetRequest(key=key)).value for key in OWN] == OWN


def test_a_node_forwards_nothing_that_its_caller_may_not_do(nodes, shop):
    for key in SECRET:
        nodes["n2"].client.Set(SetRequest(key=key, value=b"s"))
        with pytest.raises(grpc.RpcError) as denied:
            shop.Set(SetRequest(key=key, value=b"stolen"))
        assert failure_of(denied.value).reason == "NOT_ALLOWED"
    mixed = [key for pair in zip(OWN, SECRET) for key in pair]
    reply = shop.MSet(MSetRequest(entries=[SetRequest(key=key, value=b"new") for key in mixed]))
    assert [r.error.reason == cache_pb2.NOT_ALLOWED for r in reply.results] == [False, True] * 64
    reply = shop.MGet(MGetRequest(keys=mixed))
    assert [e.index for e in reply.errors] == list(range(1, 128, 2))
    assert reasons(reply.errors) == {cache_pb2.NOT_ALLOWED}
    assert [r.value for r in reply.results] == [b"new", b""] * 64
    frame = PipelineRequest(operations=[Operation(get=GetRequest(key=key)) for key in mixed])
    results = next(shop.cache.Pipeline(iter([frame]))).results
    assert [r.WhichOneof("outcome") for r in results] == ["get", "error"] * 64
    assert [r.get.value for r in results] == [b"new", b""] * 64
    values = nodes["n2"].client.MGet(MGetRequest(keys=SECRET)).results
    assert {value.value for value in values} == {b"s"}


def test_a_request_id_is_the_callers_whichever_node_it_takes(nodes):
    """A repetition through another node is one, and another principal's id is another id."""
    for key in OWN:
        with client_of(nodes["n1"].process, "shop") as one, client_of(nodes["n2"].process, "shop") as two:
            request = IncrRequest(key=key + b"n", request_id=b"id of " + key)
            first = one.Incr(request)
            assert two.Incr(request) == first
            frame = PipelineRequest(operations=[Operation(incr=request), Operation(incr=request)])
            for client in (one, two):
                assert [r.incr for r in next(client.cache.Pipeline(iter([frame]))).results] == [first] * 2
            entry = SetRequest(key=key + b"s", value=b"1", request_id=b"entry of " + key)
            stored = [
                result.response.version
                for client in (one, two)
                for result in client.MSet(MSetRequest(entries=[entry])).results
            ]
            assert stored[0] > 0 and stored == stored[:1] * 2
        for node in ("n1", "n2"):
            with client_of(nodes[node].process, "other") as other:
                mine = IncrRequest(key=key + b"o", request_id=b"id of " + key)
                assert other.Incr(mine).value == 1


def test_nobody_but_a_node_says_whose_an_id_is(nodes, shop):
    incr = IncrRequest(key=OWN[0] + b"f", request_id=b"forged")
    frame = PipelineRequest(operations=[Operation(incr=incr, request_scope=b"x")])
    (result,) = next(shop.cache.Pipeline(iter([frame]))).results
    assert result.error.reason == cache_pb2.NOT_ALLOWED


def test_a_subscription_over_nodes(nodes, shop):
    channels = [b"own.%d" % number for number in range(16)]
    with Subscriber(shop, channels=channels) as follows:
        for channel in channels:
            nodes["n2"].client.Publish(PublishRequest(channel=channel, payload=b"p"))
        assert {follows.next_but_heartbeats().message.channel for _ in channels} == set(channels)


def test_to_say_that_it_is_forwarded_gives_no_rights(nodes):
    with client_of(nodes["n1"].process, "shop") as shop, client_of(nodes["n1"].process) as nobody:
        forwarded = [("ferrite-forwarded", "1")]
        for client, code in ((shop, "NOT_ALLOWED"), (nobody, "CREDENTIALS_MISSING")):
            with pytest.raises(grpc.RpcError) as denied:
                client.Get(GetRequest(key=SECRET[0]), metadata=forwarded)
            assert failure_of(denied.value).reason == code


def test_nodes_that_know_each_other_by_certificates(tmp_path):
    authority = Authority(tmp_path / "authority")
    own = authority.issue("URI:spiffe://test/shop")
    pair = authority.issue("DNS:node,DNS:localhost,IP:127.0.0.1")
    bindings = {"uri:spiffe://test/shop": ["own"], "dns:node": ["node"]}
    (tmp_path / "policy.yaml").write_text(policy(ROLES, bindings), encoding="utf-8")
    shown = [authority.certificate, own.key, own.certificate]
    credentials = grpc.ssl_channel_credentials(*(path.read_bytes() for path in shown))
    tls = (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", f"--tls-client-ca={authority.certificate}")
    with Etcd() as etcd, Nodes(etcd, 0, credentials=credentials) as nodes:
        for name in ("n1", "n2"):
            nodes.start(name, f"--policy={tmp_path}/policy.yaml", *tls)
        nodes.await_owners()
        assert "set peer-token-file" not in nodes["n1"].process.log()
        for node in (nodes["n1"], nodes["n2"]):
            for key in OWN:
                node.client.Set(SetRequest(key=key, value=key))
            assert [r.value for r in node.client.MGet(MGetRequest(keys=OWN)).results] == OWN
            for key in SECRET[:8]:
                with pytest.raises(grpc.RpcError) as denied:
                    node.client.Get(GetRequest(key=key))
                assert failure_of(denied.value).reason == "NOT_ALLOWED"


def test_a_node_that_shows_no_token_is_not_believed(tmp_path):
    with Etcd() as etcd, start(etcd, tmp_path, peer_token=False) as nodes:
        assert "set peer-token-file" in nodes["n1"].process.log()
        with client_of(nodes["n1"].process, "shop") as shop:
            reply = shop.MGet(MGetRequest(keys=OWN))
            # Those of the other node.
            assert 0 < len(reply.errors) < len(OWN)
            assert reasons(reply.errors) == {cache_pb2.PEER_UNREACHABLE}
            assert "credential" in reply.errors[0].error.message
