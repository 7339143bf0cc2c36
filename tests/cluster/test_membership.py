"""Who owns which slots when nodes come, go, vanish, and lose sight of etcd."""

import pytest
from cache_client import CALL_S
from cluster_processes import ClusterClient, Etcd, Nodes, even, free_port, metric, shares_of
from eventually import eventually
from exposition import http_get
from ferrite.v1 import cluster_pb2
from test_addresses import has_ipv6


@pytest.fixture(scope="module")
def etcd():
    with Etcd() as one:
        yield one


@pytest.fixture
def nodes():
    with Etcd() as etcd, Nodes(etcd, 3) as three:
        three.etcd = etcd
        three.await_owners()
        yield three


def ready(node):
    return http_get(node.process.http_address, "/readyz")[0] == 200


def test_nodes_that_start_share_all_slots_and_agree_on_it(nodes):
    seen = {node.id: node.topology() for node in nodes.living()}
    for topology in seen.values():
        assert topology.cluster == "test"
        assert {node.node_id: node.address for node in topology.nodes} == {node.id: node.address for node in nodes.living()}
        assert shares_of(topology) == even(["n1", "n2", "n3"])
    assert len({topology.epoch for topology in seen.values()}) == 1
    assert sum(node.witness().controller for node in nodes.living()) == 1
    for node in nodes.living():
        eventually(lambda node=node: ready(node), bool, f"{node.id} is not ready")
        assert metric(node, "ferrite_cluster_map_epoch") == seen[node.id].epoch
        assert 0 <= metric(node, "ferrite_cluster_slots_owned") - 16384 // 3 <= 1
        assert metric(node, "ferrite_cluster_slots_without_owner") == 0
        assert 0 < metric(node, "ferrite_cluster_lease_remaining_seconds") <= 2
        assert list(node.witness().problems) == []


def test_the_slots_of_a_node_that_was_killed_go_to_others(nodes):
    before = nodes["n1"].topology().epoch
    nodes["n2"].kill()
    assert nodes.await_owners(["n1", "n3"]).epoch > before


def test_a_node_that_is_told_to_end_hands_over_and_ends(nodes):
    watch = nodes["n1"].client.cluster.WatchTopology(cluster_pb2.WatchTopologyRequest(), timeout=CALL_S)
    nodes["n2"].process.terminate()
    for told in watch:
        if shares_of(told.topology, served=True) == even(["n1", "n3"]):
            break
        # At no time does a slot have no owner.
        assert sum(slots.last - slots.first + 1 for slots in told.topology.slots) == 16384
    watch.cancel()
    nodes["n2"].process.await_end(0)
    assert "were not given to others" not in nodes["n2"].process.log()
    nodes.await_owners(["n1", "n3"])


def test_a_node_that_starts_gets_its_share(nodes):
    nodes.start("n4")
    nodes.await_owners(["n1", "n2", "n3", "n4"])


def boot_ids(node):
    return {each.node_id: each.boot_id for each in node.topology().nodes}


def test_a_node_that_starts_anew_under_its_name_serves_again(nodes):
    before = boot_ids(nodes["n1"])
    nodes["n2"].kill()
    nodes.start("n2")
    after = eventually(lambda: boot_ids(nodes["n1"]), lambda seen: seen.get("n2") not in (None, before["n2"]),
                       "n2 is not seen to be another process")
    assert after["n1"] == before["n1"]
    nodes.await_owners()


def test_a_node_that_drains_owns_nothing_until_it_may_stay(nodes):
    stub = nodes["n3"].client.cluster
    stub.Drain(cluster_pb2.DrainRequest(node_id="n3"), timeout=CALL_S)
    topology = nodes.await_owners(["n1", "n2"])
    assert [node.draining for node in topology.nodes if node.node_id == "n3"] == [True]
    assert ready(nodes["n3"])  # as it answers for all keys
    stub.Drain(cluster_pb2.DrainRequest(undo=True), timeout=CALL_S)
    nodes.await_owners()


def test_without_etcd_nobody_serves_for_longer_than_a_lease_and_nothing_changes(nodes):
    before = nodes["n1"].topology()
    nodes.etcd.kill()
    for node in nodes.living():
        eventually(node.witness, lambda witness: witness.may_serve_ms == 0, f"{node.id} still serves")
        eventually(lambda node=node: ready(node), lambda is_ready: not is_ready, f"{node.id} is still ready")
        assert http_get(node.process.http_address, "/healthz")[0] == 200
        eventually(lambda node=node: [text.split(":")[0] for text in node.witness().problems],
                   lambda problems: "etcd_silent" in problems, "the silence is not named")
    nodes.etcd.start()
    for node in nodes.living():
        eventually(node.witness, lambda witness: witness.may_serve_ms > 0, f"{node.id} does not serve again")
        eventually(lambda node=node: ready(node), bool, f"{node.id} is not ready again")
    after = nodes.await_owners()
    assert [(slots.first, slots.last) for slots in after.slots] == [(slots.first, slots.last) for slots in before.slots]


def test_a_node_that_was_paused_has_no_right_when_it_goes_on(nodes):
    paused = nodes["n2"]
    paused.process.freeze()
    taken = nodes.await_owners(["n1", "n3"], of=[nodes["n1"], nodes["n3"]]).epoch
    paused.process.thaw()
    seen = paused.client.topology()
    if seen.topology.epoch <= taken:
        assert seen.witness.may_serve_ms == 0 or "n2" not in shares_of(seen.topology)
    nodes.await_owners()


def test_two_processes_with_one_name_do_not_both_take_part(nodes):
    second = nodes.start("n2-second", "--node-id=n2")
    eventually(second.witness, lambda witness: any("id_taken" in text for text in witness.problems), "nobody complains")
    assert second.witness().may_serve_ms == 0
    assert not ready(second)
    second.kill()
    nodes.await_owners(["n1", "n2", "n3"])


def test_an_address_that_leads_elsewhere_is_named_and_gets_no_slots(nodes):
    lost = nodes.start("n4", f"--advertise={nodes['n1'].address}")
    problem = eventually(lambda: list(lost.witness().problems), bool, "nobody complains")
    assert "address_wrong" in problem[0]
    assert "node n1 of cluster test" in problem[0]
    assert not ready(lost)
    assert shares_of(nodes["n1"].topology()) == even(["n1", "n2", "n3"])


def test_an_address_where_nobody_answers_is_named(etcd):
    with Nodes(etcd, 0) as nodes:
        lost = nodes.start("n1", "--advertise=127.0.0.1:1")
        problem = eventually(lambda: list(lost.witness().problems), bool, "nobody complains")
        assert "127.0.0.1:1 (--advertise), where it does not reach itself" in problem[0]
        assert not ready(lost)


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")
def test_an_internal_address_where_nobody_answers_is_named(etcd):
    with Nodes(etcd, 0) as nodes:
        # Others are told the host of --advertise with the port of --internal-listen, which is one of IPv4 only.
        told = f"[::1]:{free_port()}"
        lost = nodes.start("n1", f"--listen={told}", f"--advertise={told}", "--internal-listen=0.0.0.0:0", "--insecure")
        with ClusterClient(lost.address.partition(",")[0]) as client:
            problem = eventually(lambda: list(client.topology().witness.problems), bool, "nobody complains")
        assert "(--internal-listen), where it does not reach itself" in problem[0]
        assert not ready(lost)


def test_clusters_on_one_etcd_do_not_meet(etcd):
    with Nodes(etcd, 1) as nodes:
        nodes.await_owners(["n1"])
        other = nodes.start("m1", "--cluster-name=other")
        eventually(other.topology, lambda seen: shares_of(seen) == even(["m1"]), "m1 does not own all")
        assert shares_of(nodes["n1"].topology()) == even(["n1"])


def test_other_nodes_are_told_the_internal_address(etcd):
    with Nodes(etcd, 0) as nodes:
        one = nodes.start("n1", "--internal-listen=127.0.0.1:0", "--cluster-name=apart")
        eventually(one.topology, lambda seen: shares_of(seen) == even(["n1"]), "n1 does not own all")
        assert "nodes at 127.0.0.1:" in one.process.log()
