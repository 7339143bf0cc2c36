"""Subscriptions through any node of a cluster, while nodes come, go and lose sight of each other: a gap is always announced."""

import threading

import grpc
import pytest
from cache_client import CALL_S, failure_of
from cluster_processes import Etcd, Nodes, code_of, metric, owner_of
from eventually import eventually
from ferrite.v1 import cache_pb2, cluster_pb2
from ferrite.v1.cache_pb2 import PublishRequest, SetRequest, SubscribeRequest
from subscriber import Subscriber, numbers_of, publish
from test_keys import KEYS, answer_of, keys_of, put, slot_of

LOST = cache_pb2.DISCONTINUITY_REASON_NODE_LOST
CHANGED = cache_pb2.DISCONTINUITY_REASON_OWNER_CHANGED


@pytest.fixture
def nodes():
    # Streams end with the right to serve, which a busy machine must not take from nodes for a moment.
    with Etcd() as etcd, Nodes(etcd, 3, lease_ttl="5s") as three:
        three.etcd = etcd
        three.await_owners()
        for node in three.living():
            eventually(node.witness, lambda witness: witness.may_serve_ms > 0, f"{node.id} may not serve")
        yield three


class Publisher:
    """Publishes numbers to each of the channels, one after the other, through nodes that live. Leaving the block stops it."""

    def __init__(self, nodes, channels):
        self._nodes = nodes
        self._channels = channels
        self._stopping = threading.Event()
        self.acknowledged = {channel: set() for channel in channels}
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        number = 0
        while not self._stopping.is_set():
            for channel in self._channels:
                node = self._nodes[number % len(self._nodes)]
                try:
                    node.client.Publish(PublishRequest(channel=channel, payload=b"%d" % number), timeout=1)
                    self.acknowledged[channel].add(number)
                except grpc.RpcError:
                    pass  # it may have been published or not
            number += 1
            self._stopping.wait(0.005)


def key_of(node):
    """One that it owns, also if the machine was so busy that it had lost its slots for a moment."""
    return eventually(lambda: keys_of(node), bool, f"{node.id} owns nothing")[0]


def publish_surely(node, channel, payload):
    return answer_of(node.client.Publish, PublishRequest(channel=channel, payload=payload))


def reasons_until_message(stream, after):
    """Reads until a discontinuity for that reason, and the next message; returns the reasons before the message."""
    reasons = []
    while True:
        event = stream.next_but_heartbeats()
        if event.HasField("discontinuity"):
            reasons.append(event.discontinuity.reason)
        elif event.HasField("message") and after in reasons:
            return reasons


def test_keys_of_all_nodes_come_in_one_stream_and_each_in_order(nodes):
    n1, n2, n3 = nodes.living()
    with Subscriber(n1.client, keys=KEYS) as named, Subscriber(n2.client, key_prefixes=[b""]) as all_keys:
        versions = {key: [] for key in KEYS}
        for number in range(10):
            for key in KEYS:
                versions[key].append(put((n1, n2, n3)[number % 3], key, b"%d" % number))
        for stream in (named, all_keys):
            seen = {key: [] for key in KEYS}
            for key, _, version in stream.take_key_events(10 * len(KEYS)):
                seen[key].append(version)
            assert seen == versions
        assert metric(n1, "ferrite_cluster_feeds") == 2


def test_channels_of_all_nodes_by_a_glob(nodes):
    n1, _, n3 = nodes.living()
    with Subscriber(n3.client, channel_globs=[b"key *"]) as stream:
        for channel in KEYS:
            assert publish(n1.client, channel, b"1").receivers == 1
        assert {event.message.channel for event in stream.take(len(KEYS))} == set(KEYS)


def test_goes_on_without_a_gap_when_its_own_node_is_killed(nodes):
    n1, n2, n3 = nodes.living()
    channels = keys_of(n2)[:2] + keys_of(n3)[:2]
    stream = Subscriber(n1.client, channels=channels)
    for number in range(10):
        for channel in channels:
            assert publish(n2.client, channel, b"%d" % number).sequence
    before = stream.take(20)
    n1.kill()
    for number in range(10, 20):
        for channel in channels:
            assert publish_surely(n2, channel, b"%d" % number).sequence
    with Subscriber(n3.client, channels=channels, resume_token=stream.token) as resumed:
        assert resumed.resumed
        after = resumed.take(60)
    assert after[0].sequence > before[-1].sequence
    for channel in channels:
        assert numbers_of(event for event in before + after if event.message.channel == channel) == list(range(20))


def test_an_owner_that_is_killed_is_told_and_its_heir_followed(nodes):
    n1, n2, n3 = nodes.living()
    channel = key_of(n2)
    with Subscriber(n1.client, channels=[channel]) as one, Subscriber(n1.client, channel_globs=[b"*"]) as all_channels:
        n2.kill()
        with Publisher([n1, n3], [channel]):
            for stream in (one, all_channels):
                reasons = reasons_until_message(stream, after=CHANGED)
                assert reasons[0] == LOST, reasons
        assert metric(n1, 'ferrite_cluster_feed_ends_total{reason="unreachable"}') >= 2


def test_an_owner_that_was_paused_tells_nothing_any_more(nodes):
    n1, n2, n3 = nodes.living()
    key = key_of(n2)
    with Subscriber(n3.client, key_prefixes=[b""], channels=[key]) as stream:
        versions = [put(n2, key, b"old")]
        assert stream.take_key_events(1)[0][2] == versions[0]
        n2.process.freeze()
        with Publisher([n1, n3], [key]):
            reasons_until_message(stream, after=CHANGED)
        nodes.await_owners(["n1", "n3"], of=[n1, n3])
        newest = put(n1, key, b"new")
        n2.process.thaw()
        code_of(n2.client.Set, SetRequest(key=key, value=b"of the past"))
        nodes.await_owners()
        while True:
            event = stream.next_but_heartbeats()
            if event.HasField("key_event") and event.key_event.key == key:
                versions.append(event.key_event.version)
            elif event.HasField("discontinuity") and versions[-1] >= newest:
                break  # n2 is back
        assert versions == sorted(set(versions)) and newest in versions


def test_a_node_that_drains_hands_its_topics_over(nodes):
    n1, n2, n3 = nodes.living()
    channel = key_of(n2)
    with Subscriber(n1.client, channel_globs=[b"*"]) as stream:
        n2.client.cluster.Drain(cluster_pb2.DrainRequest(), timeout=CALL_S)
        eventually(lambda: owner_of(n1.topology(), slot_of(channel)), lambda owner: owner in ("n1", "n3"), "n2 keeps its slots")
        with Publisher([n1, n3], [channel]):
            reasons_until_message(stream, after=CHANGED)
        # Who owns nothing still tells what others do.
        with Subscriber(n2.client, channels=[channel]) as through_drained:
            publish_surely(n1, channel, b"7")
            assert numbers_of(through_drained.take(1)) == [7]


def test_a_node_that_ends_sends_its_streams_elsewhere(nodes):
    n1, _, n3 = nodes.living()
    channel = key_of(n3)
    stream = Subscriber(n1.client, channels=[channel])
    publish(n1.client, channel, b"0")
    assert numbers_of(stream.take(1)) == [0]
    n1.process.terminate()
    assert stream.failure().code == grpc.StatusCode.UNAVAILABLE
    publish(n3.client, channel, b"1")
    with Subscriber(n3.client, channels=[channel], resume_token=stream.token) as resumed:
        assert resumed.resumed
        assert numbers_of(resumed.take(1)) == [1]


def test_a_quiet_stream_ends_with_the_right_of_its_node(nodes):
    n1 = nodes["n1"]
    request = SubscribeRequest(keys=[key_of(n1)], heartbeat_ms=3_600_000)
    any_node = n1.client.Subscribe(request)
    direct = n1.client.Subscribe(request, metadata=[("ferrite-route", "direct")])
    for stream in (any_node, direct):
        assert next(stream).events[0].HasField("acknowledgement")
    nodes.etcd.freeze()
    for stream in (any_node, direct):
        with pytest.raises(grpc.RpcError) as ended:
            list(stream)
        assert failure_of(ended.value).reason == "LEASE_LOST"
    nodes.etcd.thaw()


def test_a_token_that_is_none_is_refused(nodes):
    for token in (b"x", b"\x01" + b"x" * 40, b"\x02" + b"x" * 32):
        with pytest.raises(grpc.RpcError) as error:
            next(iter(nodes["n1"].client.Subscribe(SubscribeRequest(channel_globs=[b"*"], resume_token=token))))
        assert failure_of(error.value).reason == "RESUME_TOKEN_INVALID"


def test_nothing_that_was_published_is_missed_silently(nodes):
    """Whoever owns a channel, and whoever dies: a number that is missing has a discontinuity in its place."""
    n1, n2, n3 = nodes.living()
    channels = KEYS[:12]
    last = dict.fromkeys(channels, -1)
    gap_since = dict.fromkeys(channels, False)
    missing = []

    def read(stream, until):
        while not until():
            event = stream.next_event()
            if event.HasField("discontinuity"):
                gap_since.update(dict.fromkeys(channels, True))
            if not event.HasField("message"):
                continue
            channel, number = event.message.channel, int(event.message.payload)
            assert number > last[channel], "the order of a channel is broken"
            lost = [each for each in range(last[channel] + 1, number) if each in publisher.acknowledged[channel]]
            if lost and not gap_since[channel]:
                missing.append((channel, lost))
            last[channel], gap_since[channel] = number, False

    with Subscriber(n1.client, channels=channels, heartbeat_ms=500) as stream, Publisher([n1, n3], channels) as publisher:
        read(stream, lambda: min(last.values()) > 20)
        n2.kill()
        read(stream, lambda: len({owner_of(n1.topology(), slot_of(channel)) for channel in channels} - {"n1", "n3"}) == 0)
        goal = max(last.values()) + 20
        read(stream, lambda: min(last.values()) > goal)
        nodes.start("n4")
        read(stream, lambda: "n4" in {owner_of(n1.topology(), slot_of(channel)) for channel in channels})
        goal = max(last.values()) + 20
        read(stream, lambda: min(last.values()) > goal)
        token = stream.token
        stream.cancel()
        with Subscriber(n3.client, channels=channels, resume_token=token) as resumed:
            if not resumed.resumed:
                resumed.take_discontinuity()
                gap_since.update(dict.fromkeys(channels, True))
            goal = max(last.values()) + 20
            read(resumed, lambda: min(last.values()) > goal)
        publisher.stop()
    assert missing == []
