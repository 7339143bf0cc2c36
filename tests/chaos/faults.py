"""What happens to the cluster. Each fault is a generator: it comes, lasts from the first `yield` on, and is over at the end. It yields the
nodes whose own clients are promised nothing meanwhile, as they ask one that is gone, or that does not reach another.

The program that calls the nodes reaches all of them throughout, also those that are cut off from others.
"""

import random

from cluster import LEASE_TTL_S

HOUR_S = 3600


def nothing(cluster):
    """nothing at all"""
    del cluster
    yield []


def kill(cluster):
    """kill -9 of a node"""
    node = any_node(cluster)
    node.kill()
    yield [node]
    node.start()


def kill_and_restart(cluster):
    """kill -9 of a node, which starts at once"""
    node = any_node(cluster)
    node.kill()
    node.start()
    yield [node]


def stop(cluster):
    """SIGSTOP of a node for longer than its lease, then SIGCONT"""
    node = any_node(cluster)
    node.freeze()
    yield [node]
    node.thaw()


def leave(cluster):
    """SIGTERM of a node, which hands over"""
    node = any_node(cluster)
    node.leave()
    yield [node]
    node.start()


def node_from_etcd(cluster):
    """a node and etcd do not reach each other"""
    node = any_node(cluster)
    for member in cluster.members:
        cluster.network.cut(node.name, member)
    yield [node]
    cluster.network.mend()


def node_to_etcd(cluster):
    """nothing from a node reaches etcd"""
    node = any_node(cluster)
    for member in cluster.members:
        cluster.network.lose(node.name, member)
    yield [node]
    cluster.network.mend()


def etcd_to_node(cluster):
    """nothing from etcd reaches a node"""
    node = any_node(cluster)
    for member in cluster.members:
        cluster.network.lose(member, node.name)
    yield [node]
    cluster.network.mend()


def node_from_node(cluster):
    """two nodes do not reach each other"""
    one, other = random.sample(sorted(cluster.nodes), 2)
    cluster.network.cut(one, other)
    yield [cluster.nodes[one], cluster.nodes[other]]
    cluster.network.mend()


def node_to_node(cluster):
    """nothing from one node reaches another"""
    one, other = random.sample(sorted(cluster.nodes), 2)
    cluster.network.lose(one, other)
    yield [cluster.nodes[one], cluster.nodes[other]]
    cluster.network.mend()


def node_alone(cluster):
    """a node is reached by clients only"""
    node = any_node(cluster)
    for host in [*cluster.members, *cluster.nodes]:
        if host != node.name:
            cluster.network.cut(node.name, host)
    yield [node]
    cluster.network.mend()


def etcd_leader(cluster):
    """kill -9 of etcd's leader"""
    leader = cluster.leader() or random.choice(list(cluster.members.values()))
    leader.kill()
    yield []
    leader.start()


def etcd_down(cluster):
    """all of etcd is down"""
    for member in cluster.members.values():
        member.kill()
    yield list(cluster.nodes.values())
    for member in cluster.members.values():
        member.start()


def clock_ahead(cluster):
    """a node's wall clock is set ahead by an hour, and back"""
    node = any_node(cluster)
    node.clock.step(HOUR_S)
    yield []
    node.clock.step(-HOUR_S)


def clock_back(cluster):
    """a node's wall clock is set back by an hour, and ahead"""
    node = any_node(cluster)
    node.clock.step(-HOUR_S)
    yield []
    node.clock.step(HOUR_S)


def kill_after_clock(cluster):
    """kill -9 of a node whose wall clock is an hour ahead"""
    node = any_node(cluster)
    node.clock.step(HOUR_S)
    node.kill()
    yield [node]
    node.clock.step(-HOUR_S)
    node.start()


def several(cluster):
    """etcd's leader dies while a node stands still and the two others do not reach each other"""
    still, one, other = random.sample(sorted(cluster.nodes), 3)
    leader = etcd_leader(cluster)
    next(leader)
    cluster.nodes[still].freeze()
    cluster.network.cut(one, other)
    yield list(cluster.nodes.values())
    cluster.network.mend()
    cluster.nodes[still].thaw()
    next(leader, None)


FAULTS = {
    fault.__name__: fault
    for fault in (nothing, kill, kill_and_restart, stop, leave, node_from_etcd, node_to_etcd, etcd_to_node, node_from_node, node_to_node,
                  node_alone, etcd_leader, etcd_down, clock_ahead, clock_back, kill_after_clock, several)
}

# By how many seconds longer than after the loss of a node slots may be without service. A new leader of etcd gives each lease its
# whole time anew, when it has been elected.
LONGER_S = {"several": LEASE_TTL_S + 3}


def any_node(cluster):
    return random.choice(list(cluster.nodes.values()))
