"""Broken streams resume where they stopped: nothing is missing, and nothing arrives twice."""

import random
import threading

import pytest
from cache_client import CacheClient
from ferrite.v1.cache_pb2 import (
    KEY_EVENT_KIND_DELETE,
    KEY_EVENT_KIND_SET,
    DeleteRequest,
    SetRequest,
)
from subscriber import Subscriber, numbers_of, publish, publish_numbers, wait_for_receivers


def resumed(client, token, **follows):
    """A stream that resumes at the token without a gap."""
    subscriber = Subscriber(client, resume_token=token, **follows)
    assert subscriber.resumed
    return subscriber


def test_a_stream_resumes_where_it_was_cancelled(client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        publish_numbers(client, key, range(10))
        assert numbers_of(subscriber.take(4)) == [0, 1, 2, 3]
        token = subscriber.token
    wait_for_receivers(client, key, 0)  # sends empty messages
    publish_numbers(client, key, range(10, 20))
    with resumed(client, token, channels=[key]) as subscriber:
        publish_numbers(client, key, range(20, 30))
        seen = []
        while not seen or seen[-1] != 29:
            seen += [int(payload) for payload in subscriber.take_payloads(1) if payload]
    assert seen == list(range(4, 30))


def test_a_stream_can_resume_after_every_event(client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        tokens = [subscriber.token]
        publish_numbers(client, key, range(20))
        for number in range(20):
            assert numbers_of(subscriber.take(1)) == [number]
            tokens.append(subscriber.token)
    for begin, token in enumerate(tokens):
        with resumed(client, token, channels=[key]) as subscriber:
            assert subscriber.token == token, "the acknowledgement has the same position"
            assert numbers_of(subscriber.take(20 - begin)) == list(range(begin, 20))


def test_the_acknowledgement_of_a_resumed_stream_has_the_position_of_the_token(client, key):
    """A client whose stream breaks again before it has read an event loses nothing."""
    with Subscriber(client, channels=[key]) as subscriber:
        token = subscriber.token
        publish_numbers(client, key, range(5))
        for _ in range(5):
            with resumed(client, token, channels=[key]) as again:
                token = again.token
        with resumed(client, token, channels=[key]) as again:
            assert numbers_of(again.take(5)) == list(range(5))


def test_a_token_can_be_used_by_many_streams_on_any_connection(server, client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        token = subscriber.token
        publish_numbers(client, key, range(2000))
    with CacheClient(server.grpc_address) as other:
        streams = [resumed(c, token, channels=[key]) for c in (client, other) for _ in range(4)]
        for stream in streams:
            assert numbers_of(stream.take(2000)) == list(range(2000))
            stream.cancel()


def test_a_stream_may_resume_with_fewer_topics_and_in_another_order(client, key):
    one, two, three = key + b"/1", key + b"/2", key + b"/3*"
    with Subscriber(client, channels=[one, two], channel_globs=[three]) as subscriber:
        token = subscriber.token
        for channel in (one, two, key + b"/3x", one):
            publish(client, channel)
    with resumed(client, token, channel_globs=[three], channels=[two]) as subscriber:
        seen = [event.message.channel for event in subscriber.take(2)]
    assert seen == [two, key + b"/3x"]


def test_key_events_missed_in_between_arrive_with_their_values(client, key):
    follows = {"keys": [key], "key_prefixes": [key + b"/"], "with_values": True}
    with Subscriber(client, **follows) as subscriber:
        token = subscriber.token
    written = client.Set(SetRequest(key=key, value=b"1")).version
    under = client.Set(SetRequest(key=key + b"/under", value=b"2")).version
    client.Delete(DeleteRequest(key=key))
    with resumed(client, token, **follows) as subscriber:
        events = [event.key_event for event in subscriber.take(3)]
    assert [(e.key, e.kind, e.version, e.value) for e in events] == [
        (key, KEY_EVENT_KIND_SET, written, b"1"),
        (key + b"/under", KEY_EVENT_KIND_SET, under, b"2"),
        (key, KEY_EVENT_KIND_DELETE, written, b""),
    ]


def test_a_quiet_stream_resumes_from_a_heartbeat(client, key):
    with Subscriber(client, channels=[key], heartbeat_ms=100) as subscriber:
        with Subscriber(client, channels=[key + b"/busy"]):
            publish_numbers(client, key + b"/busy", range(100))
            last = publish(client, key + b"/busy").sequence
        while subscriber.position < last:
            assert subscriber.next_event().HasField("heartbeat")
        token = subscriber.token
    publish_numbers(client, key, range(3))
    with resumed(client, token, channels=[key]) as subscriber:
        assert numbers_of(subscriber.take(3)) == [0, 1, 2]


class Writer(threading.Thread):
    """Calls `write` with each number below `count`, in the background."""

    def __init__(self, address, count, write):
        super().__init__()
        self.address, self.count, self.write = address, count, write

    def run(self):
        with CacheClient(self.address) as client:
            for number in range(self.count):
                self.write(client, number)


def read_with_interruptions(connect, count, chance, number_of, **follows):
    """Reads `count` numbers from streams that break now and then and resume; connect() returns a
    client for each.
    """
    numbers, token, breaks = [], b"", 0
    while len(numbers) < count:
        client = connect()
        with Subscriber(client, resume_token=token, **follows) as subscriber:
            token = subscriber.token
            if breaks == 0:
                yield  # the first stream is acknowledged
            else:
                assert subscriber.resumed
            # The break may come before the first event or in the middle of a response.
            for _ in range(min(chance.randrange(200), count - len(numbers))):
                numbers.append(number_of(subscriber.take(1)[0]))
                token = subscriber.token
        breaks += 1
    assert breaks > 10, "some streams did break"
    yield numbers


@pytest.mark.parametrize("seed", range(3))
def test_messages_arrive_exactly_once_while_streams_break(
    server, client, key, seed
):
    publisher = Writer(
        server.grpc_address, 3000, lambda own, n: publish_numbers(own, key, [n])
    )
    reading = read_with_interruptions(
        lambda: client,
        3000,
        random.Random(seed),
        lambda event: int(event.message.payload),
        channels=[key],
    )
    next(reading)
    publisher.start()
    assert next(reading) == list(range(3000))
    publisher.join()


@pytest.mark.parametrize("seed", range(3))
def test_key_events_arrive_exactly_once_while_connections_break(server, key, seed):
    connections = []

    def connect():
        if connections:
            connections.pop().close()
        connections.append(CacheClient(server.grpc_address))
        return connections[0]

    writer = Writer(
        server.grpc_address,
        3000,
        lambda own, n: own.Set(SetRequest(key=key + b"/%d" % (n % 7), value=b"%d" % n)),
    )
    reading = read_with_interruptions(
        connect,
        3000,
        random.Random(seed),
        lambda event: int(event.key_event.value),
        key_prefixes=[key + b"/"],
        with_values=True,
    )
    next(reading)
    writer.start()
    assert next(reading) == list(range(3000))
    writer.join()
    connections.pop().close()
