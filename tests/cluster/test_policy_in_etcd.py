"""A policy that lies in etcd: the same for all nodes, put by one call, and never a bad one."""

import os
import subprocess

import grpc
import pytest
from cache_client import failure_from, failure_of
from cluster_processes import Etcd, Nodes
from eventually import eventually
from exposition import scrape
from ferrite.v1 import admin_pb2
from ferrite.v1.cache_pb2 import GetRequest
from policy import SCRAPER, SCRAPES, client_of, policy, token
from server_process import refusal_of

KEY = "/ferrite/test/policy"
ALL = ["read", "write", "delete", "scan", "publish", "subscribe"]
ROLES = {
    **SCRAPES,
    "own": {"key_prefixes": ["own:"], "verbs": ["read"]},
    "node": {"key_prefixes": [""], "channel_prefixes": [""], "verbs": ALL},
    "operator": {"verbs": ["admin"]},
}
FIRST = {**SCRAPER, "token:node": ["node"], "token:operator": ["operator"]}


def bound(*names):
    """A policy that gives these the role `own`."""
    return policy(ROLES, {**FIRST, **{f"token:{name}": ["own"] for name in names}}).encode()


@pytest.fixture(name="etcd", scope="module")
def made_etcd():
    with Etcd() as running:
        yield running


class Cluster(Nodes):
    def __init__(self, etcd, folder):
        super().__init__(etcd, 0)
        self.etcd = etcd
        (folder / "policy.yaml").write_text(policy(ROLES, FIRST), encoding="utf-8")
        (folder / "token").write_text(token("node"), encoding="ascii")
        self._flags = (f"--policy={folder}/policy.yaml", "--policy-in-etcd", f"--peer-token-file={folder}/token")

    def add(self, name):
        self.start(name, *self._flags)

    def etcdctl(self, *words, text=None):
        environment = {**os.environ, "ETCDCTL_API": "3"}
        done = subprocess.run(["etcdctl", f"--endpoints={self.etcd.address}", *words], input=text, env=environment,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(name="nodes")
def made_nodes(etcd, tmp_path):
    with Cluster(etcd, tmp_path) as cluster:
        cluster.etcdctl("del", KEY)
        for name in ("n1", "n2"):
            cluster.add(name)
        yield cluster


def allowed(node, name):
    """Whether that token may read, at this node."""
    with client_of(node.process, name) as client:
        try:
            client.Get(GetRequest(key=b"own:1"))
            return True
        except grpc.RpcError as error:
            return failure_of(error).reason not in ("NOT_ALLOWED", "CREDENTIALS_INVALID")


def await_allowed(nodes, name, expected=True, of=("n1", "n2")):
    for node in of:
        eventually(lambda node=node: allowed(nodes[node], name), lambda seen: seen is expected, f"{node} has another policy")


def put(node, content, caller="operator", **fields):
    with client_of(node.process, caller) as client:
        return client.PutPolicy(admin_pb2.PutPolicyRequest(policy=content, **fields)).revision


def refused(node, content, caller="operator", **fields):
    with client_of(node.process, caller) as client:
        return failure_from(client.PutPolicy, admin_pb2.PutPolicyRequest(policy=content, **fields))


def get(node):
    with client_of(node.process, "operator") as client:
        return client.GetPolicy(admin_pb2.GetPolicyRequest())


def await_the_file(nodes):
    for node in ("n1", "n2"):
        eventually(lambda node=node: put_is_possible(nodes[node]), bool, "the file is not in force")


def put_is_possible(node):
    try:
        return put(node, bound(), dry_run=True) >= 0
    except grpc.RpcError:
        return False


def test_what_is_put_through_one_node_counts_on_all(nodes):
    await_the_file(nodes)
    assert get(nodes["n1"]).revision == 0
    assert not allowed(nodes["n1"], "shop")
    revision = put(nodes["n1"], bound("shop"))
    await_allowed(nodes, "shop")
    eventually(lambda: get(nodes["n2"]).revision, lambda seen: seen == revision, "n2 has another revision")
    assert get(nodes["n2"]).policy == bound("shop")
    put(nodes["n2"], bound("web"))
    await_allowed(nodes, "web")
    await_allowed(nodes, "shop", False)
    nodes.add("n3")
    await_allowed(nodes, "web", of=["n3"])
    nodes.etcdctl("del", KEY)
    await_allowed(nodes, "web", False)


def test_what_is_no_policy_is_not_put(nodes):
    await_the_file(nodes)
    failure = refused(nodes["n1"], b"roles:\n- name: r\n  verbs: [fly]\n")
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "POLICY_INVALID")
    assert "policy:3" in failure.message and "fly" in failure.message, failure
    failure = refused(nodes["n1"], b"#" * (1 << 20) + b"#\nroles: []")
    assert failure.reason == "POLICY_INVALID" and failure.limit == str(1 << 20)
    issuers = b'issuers:\n- {name: j, issuer: "https://i", audience: a, jwks_file: none.json}\n'
    assert "none.json" in refused(nodes["n1"], bound() + issuers).message
    of_nobody = policy(ROLES, {**SCRAPER, "token:node": ["node"]}).encode()
    assert "admin" in refused(nodes["n1"], of_nobody).message, "nobody could put the next"
    namespaces = b"namespaces:\n- {name: shop, memory: 32MiB}\n"
    assert "namespaces" in refused(nodes["n1"], bound() + namespaces).message
    assert get(nodes["n1"]).revision == 0


def test_who_may_not_administer_may_not_put(nodes):
    await_the_file(nodes)
    assert refused(nodes["n1"], bound("shop"), "node").reason == "NOT_ALLOWED"
    with client_of(nodes["n1"].process, "node") as client:
        assert failure_from(client.GetPolicy, admin_pb2.GetPolicyRequest()).reason == "NOT_ALLOWED"


def test_of_two_that_change_it_one_is_told(nodes):
    await_the_file(nodes)
    revision = put(nodes["n1"], bound("shop"), if_revision=0)
    failure = refused(nodes["n1"], bound("web"), if_revision=0)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "POLICY_CHANGED")
    assert put(nodes["n1"], bound("web"), if_revision=revision) > revision


def test_a_bad_one_that_got_into_etcd_changes_nothing_and_is_told(nodes):
    await_the_file(nodes)
    put(nodes["n1"], bound("shop"))
    await_allowed(nodes, "shop")
    nodes.etcdctl("put", KEY, text="roles: nonsense")
    for name in ("n1", "n2"):
        process = nodes[name].process
        eventually(lambda process=process: scrape(process, token("scraper")).total("ferrite_policy_file_in_force"),
                   lambda seen: seen == 0, "it is not refused")
        assert allowed(nodes[name], "shop")
        assert "refused" in process.log()
    with client_of(nodes["n1"].process, "operator") as client:
        revision = client.GetPolicy(admin_pb2.GetPolicyRequest()).revision
    assert put(nodes["n1"], bound("web"), if_revision=revision) > revision
    await_allowed(nodes, "web")


def test_until_etcd_has_answered_nobody_has_a_right(nodes, etcd):
    await_the_file(nodes)
    etcd.freeze()
    try:
        nodes.add("n4")
        with client_of(nodes["n4"].process, "operator") as client:
            failure = failure_from(client.GetPolicy, admin_pb2.GetPolicyRequest())
            assert failure.reason == "CREDENTIALS_INVALID"
    finally:
        etcd.thaw()
    eventually(lambda: put_is_possible(nodes["n4"]), bool, "the file is not in force")


def test_an_etcd_that_was_restored_from_a_backup_counts(tmp_path):
    with Etcd() as etcd, Cluster(etcd, tmp_path) as nodes:
        nodes.add("n1")
        eventually(lambda: put_is_possible(nodes["n1"]), bool, "the file is not in force")
        put(nodes["n1"], bound("shop"))
        with etcd.backup() as restore:
            await_allowed(nodes, "shop", of=["n1"])
            await_put(nodes["n1"], bound("web"))
            last = get(nodes["n1"]).revision
            await_allowed(nodes, "shop", False, of=["n1"])
            restore()
        await_allowed(nodes, "shop", of=["n1"])
        eventually(lambda: get(nodes["n1"]).revision, lambda seen: 0 < seen < last, "it has not the older one")
        await_put(nodes["n1"], bound("web"))
        await_allowed(nodes, "web", of=["n1"])


def await_put(node, content):
    """Puts it as soon as the node reaches an etcd that was started anew."""
    def failure():
        try:
            put(node, content)
            return None
        except grpc.RpcError as error:
            return failure_of(error)

    eventually(failure, lambda seen: seen is None, "it cannot be put")


def test_the_command(nodes, tmp_path):
    await_the_file(nodes)

    def run(*words):
        command = [os.environ["FERRITE_CLI_BINARY"], "--server", nodes["n1"].address, "--token", token("operator"), "policy", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    file = tmp_path / "new.yaml"
    file.write_bytes(bound("shop"))
    assert run("check", str(file)).stdout == "it could be put\n"
    assert "revision" not in run("get").stdout
    assert run("put", str(file)).stdout.startswith("put as revision ")
    await_allowed(nodes, "shop")
    assert run("get").stdout.encode() == bound("shop")
    file.write_text("roles: nonsense", encoding="utf-8")
    done = run("put", str(file))
    assert done.returncode == 2 and "policy:1" in done.stderr, done


def test_flags_that_contradict_are_refused(tmp_path):
    (tmp_path / "p").write_text("roles: []", encoding="utf-8")
    code, _, err = refusal_of("--policy-in-etcd", f"--policy={tmp_path}/p")
    assert code == 2 and "--policy-in-etcd: is for a node of a cluster" in err, err
    code, _, err = refusal_of("--policy-in-etcd", "--cluster-name=c", "--etcd-endpoints=127.0.0.1:1")
    assert code == 2 and "--policy-in-etcd: needs policy" in err, err
