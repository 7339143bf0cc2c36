"""A cluster whose nodes speak TLS: to clients, to each other, and to an etcd that asks for certificates."""

import pathlib
import shutil

import grpc
import pytest
from certificates import Authority
from cluster_processes import ClusterNode, Etcd, Nodes
from eventually import eventually
from exposition import scrape
from ferrite.v1 import cache_pb2
from server_process import refusal_of

BOTH = "DNS:localhost,IP:127.0.0.1"


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="etcd", scope="module")
def made_etcd(authority):
    with Etcd(tls=(authority.issue(BOTH), authority)) as etcd:
        yield etcd


def to_etcd(authority):
    pair = authority.issue("DNS:node")
    return (f"--etcd-ca={authority.certificate}", f"--etcd-cert={pair.certificate}", f"--etcd-key={pair.key}")


def of_nodes(authority, pair):
    return (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", f"--tls-client-ca={authority.certificate}")


def credentials(authority):
    own = authority.issue("URI:spiffe://test/app")
    return grpc.ssl_channel_credentials(authority.certificate.read_bytes(), own.key.read_bytes(), own.certificate.read_bytes())


def test_three_nodes_share_the_slots_and_forward(etcd, authority, tmp_path):
    """Any node answers for all keys, which it could not if it did not reach the others; and it does so when all have other
    certificates, and connections had to begin anew.
    """
    pairs = {}
    for name in ("n1", "n2", "n3"):
        pair = authority.issue(BOTH)
        pairs[name] = type(pair)(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        for source, target in zip(pair, pairs[name]):
            shutil.copy(source, target)
    with Nodes(etcd, 0, credentials=credentials(authority)) as nodes:
        for name, pair in pairs.items():
            nodes.start(name, *to_etcd(authority), *of_nodes(authority, pair), "--max-connection-age=1s")
        nodes.await_owners()
        for number in range(100):
            nodes[f"n{number % 3 + 1}"].client.Set(cache_pb2.SetRequest(key=b"%d" % number, value=b"v"))

        def all_are_found():
            return [node.client.Get(cache_pb2.GetRequest(key=b"%d" % number)).found for node in nodes.living() for number in range(100)]

        assert all(all_are_found())
        for pair in pairs.values():
            for source, target in zip(authority.issue(BOTH), pair):
                shutil.copy(source, target)
        for node in nodes.living():
            eventually(lambda node=node: scrape(node.process).total("ferrite_tls_certificate_renewed_total"), bool, "no renewal")
            before = scrape(node.process).total("ferrite_tls_handshakes_total")

            def handshakes(node=node):
                assert all(all_are_found())
                return scrape(node.process).total("ferrite_tls_handshakes_total")

            eventually(handshakes, lambda seen, before=before: seen > before + 3, "no new connections")
        assert all(all_are_found())
        for node in nodes.living():
            assert not sum(scrape(node.process).of("ferrite_tls_handshake_failures_total").values()), node.process.log()


def test_a_node_whose_certificate_is_of_another_host_gets_no_slots(etcd, authority):
    pair = authority.issue("DNS:elsewhere")
    node = ClusterNode(etcd, "lone", *to_etcd(authority), *of_nodes(authority, pair), cluster="other")
    with node.process as process:
        eventually(lambda: "address_wrong" in process.log(), bool, "the wrong name is not noticed")
        assert "Hostname Verification Check failed" in process.log()
        assert "it does not reach itself" in process.log()


@pytest.mark.parametrize("what", ["stranger", "nothing", "plaintext"])
def test_etcd_and_node_know_each_other(etcd, authority, tmp_path, what):
    flags = {
        "stranger": to_etcd(Authority(tmp_path)),
        "nothing": (f"--etcd-ca={authority.certificate}",),
        "plaintext": (),
    }[what]
    node = ClusterNode(etcd, "lone", *flags, cluster="third")
    with node.process as process:
        eventually(lambda: scrape(process).total("ferrite_etcd_failures_total"), bool, "no request to etcd fails")
        assert not scrape(process).total("ferrite_cluster_slots_owned")


def test_flags_about_etcd_are_checked(authority, tmp_path):
    member = ("--cluster-name=c", "--etcd-endpoints=127.0.0.1:1", "--listen=127.0.0.1:0", "--http-listen=")
    pair, other = authority.issue(), authority.issue()
    empty = pathlib.Path(tmp_path) / "empty"
    empty.touch()
    for flags, complaint in [
        (("--etcd-cert=x",), "--etcd-cert: needs etcd-key as well"),
        (("--etcd-ca=absent.crt",), "--etcd-ca: absent.crt: No such file"),
        ((f"--etcd-ca={empty}",), "holds no certificate in PEM"),
        ((f"--etcd-cert={pair.certificate}", f"--etcd-key={other.key}"), "it is not the key of"),
        ((*of_nodes(authority, authority.issue(usage="serverAuth")),), "it is not for clients, by its key usage"),
    ]:
        code, out, err = refusal_of(*member, *flags)
        assert (code, out) == (2, "") and complaint in err, err
