"""Subscribers that do not read: nobody waits for them. When they read again, they get what they
missed or are told that they missed something.
"""

import collections
import random

import grpc
import pytest
from cache_client import CacheClient
from ferrite.v1.cache_pb2 import (
    DISCONTINUITY_REASON_HISTORY_EXCEEDED as HISTORY_EXCEEDED,
    DISCONTINUITY_REASON_SLOW_CONSUMER,
    KEY_EVENT_KIND_SET,
    SLOW_CONSUMER_POLICY_COALESCE as COALESCE,
    SLOW_CONSUMER_POLICY_DROP as DROP,
    SLOW_CONSUMER_POLICY_END as END,
    SLOW_CONSUMER_POLICY_UNSPECIFIED as UNSPECIFIED,
    Operation,
    PipelineRequest,
    PublishRequest,
    SetRequest,
)
from exposition import scrape
from server_process import ServerProcess
from subscriber import Subscriber, publish

# A connection whose receive window does not grow: a stream that is not read receives 64 KiB.
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535)]

# Each is far more than the window, the response in flight and a small queue hold together.
COUNT = 3000
PADDING = b" " * 1000


def numbered(number):
    return b"%d" % number + PADDING


def send_numbers(client, numbers, channel_of=lambda number: b"c"):
    """Publishes the numbers in frames; each must be accepted, even if subscribers do not read."""
    numbers = list(numbers)
    frames = [
        PipelineRequest(
            operations=[
                Operation(publish=PublishRequest(channel=channel_of(n), payload=numbered(n)))
                for n in numbers[begin : begin + 100]
            ]
        )
        for begin in range(0, len(numbers), 100)
    ]
    for reply in client.Pipeline(iter(frames)):
        assert all(result.publish.sequence > 0 for result in reply.results), reply


def number_of(event):
    return int(event.message.payload)


def assert_live(client, subscriber, begin):
    """Whatever is published from now on arrives, message by message."""
    for number in range(begin, begin + 20):
        assert publish(client, b"c", numbered(number)).receivers >= 1
        assert number_of(subscriber.take(1)[0]) == number


@pytest.fixture
def reader(server):
    with CacheClient(server.grpc_address, NARROW) as connected:
        yield connected


@pytest.mark.parametrize("policy", [UNSPECIFIED, DROP])
def test_events_in_the_history_are_not_dropped(client, reader, policy):
    terms = {"slow_consumer_policy": policy, "max_queue_events": 10}
    with Subscriber(reader, channels=[b"c"], **terms) as slow:
        for begin in range(0, 3 * COUNT, COUNT):
            send_numbers(client, range(begin, begin + COUNT))
            assert [number_of(e) for e in slow.take(COUNT)] == list(range(begin, begin + COUNT))
        assert_live(client, slow, 3 * COUNT)


def test_a_queue_may_be_full_of_bytes(client, reader):
    with Subscriber(reader, channels=[b"c"], max_queue_bytes=5000) as slow:
        send_numbers(client, range(COUNT))
        assert [number_of(event) for event in slow.take(COUNT)] == list(range(COUNT))


@pytest.mark.parametrize("turn", range(3))
def test_events_gone_from_the_history_are_announced_in_their_place(turn):
    with ServerProcess("--history-events=300") as server, CacheClient(
        server.grpc_address
    ) as client, CacheClient(server.grpc_address, NARROW) as reader:
        with Subscriber(reader, channels=[b"c"], max_queue_events=10) as slow:
            expected, last_sequence, gaps = 0, slow.position, 0
            for total in (COUNT, COUNT + 1, 2 * COUNT, 3 * COUNT):
                send_numbers(client, range(expected, total))
                while expected < total:
                    event = slow.next_but_heartbeats()
                    if event.HasField("discontinuity"):
                        gap = event.discontinuity
                        assert gap.reason == DISCONTINUITY_REASON_SLOW_CONSUMER
                        assert gap.after_sequence == last_sequence
                        # There is no other channel, so every sequence was one of its messages.
                        expected += event.sequence - last_sequence
                        gaps += 1
                    else:
                        assert number_of(event) == expected, "an unannounced gap"
                        expected += 1
                    last_sequence = event.sequence
                assert expected == total
            assert gaps >= 3, "each long pause lost messages"
            assert_live(client, slow, expected)


def test_a_reader_is_not_held_up_by_a_stalled_stream(client, reader):
    with Subscriber(reader, channels=[b"c"], max_queue_events=10) as slow:
        with Subscriber(client, channels=[b"c"]) as quick:
            for begin in range(0, COUNT, 100):
                send_numbers(client, range(begin, begin + 100))
                assert [number_of(e) for e in quick.take(100)] == list(range(begin, begin + 100))
        assert [number_of(event) for event in slow.take(COUNT)] == list(range(COUNT))


def take_coalesced(subscriber, last):
    """Reads until the last number of each channel has arrived; returns, for each channel, how many
    published messages the received ones stand for.
    """
    stands_for, newest = collections.Counter(), {}
    while newest != last:
        (event,) = subscriber.take(1)
        channel, number = event.message.channel, number_of(event)
        assert newest.get(channel, -1) < number <= last[channel]
        newest[channel] = number
        stands_for[channel] += 1 + event.coalesced
    return stands_for


def test_coalescing_keeps_the_newest_of_each_channel_and_counts_the_others(client, reader):
    channel_of = lambda number: b"c/%d" % (number % 7)
    terms = {"slow_consumer_policy": COALESCE, "max_queue_events": 10}
    with Subscriber(reader, channel_globs=[b"c/*"], **terms) as slow:
        send_numbers(client, range(COUNT), channel_of)
        last = {channel_of(number): number for number in range(COUNT)}
        stands_for = take_coalesced(slow, last)
        assert stands_for == collections.Counter(map(channel_of, range(COUNT)))
        publish(client, b"c/0", numbered(COUNT))
        event = slow.take(1)[0]
        assert (number_of(event), event.coalesced) == (COUNT, 0), "nothing else is queued"


def test_coalescing_sends_few_events_after_a_long_pause(client, reader):
    with Subscriber(reader, channels=[b"c"], slow_consumer_policy=COALESCE) as slow:
        send_numbers(client, range(COUNT))
        events = []
        while not events or number_of(events[-1]) != COUNT - 1:
            events += slow.take(1)
        assert sum(1 + event.coalesced for event in events) == COUNT
        assert len(events) < COUNT / 2, "the window, one message, and then the newest"


def test_coalescing_more_channels_than_the_queue_can_hold_loses_none(client, reader):
    channel_of = lambda number: b"c/%d" % (number % 100)
    terms = {"slow_consumer_policy": COALESCE, "max_queue_events": 10}
    with Subscriber(reader, channel_globs=[b"c/*"], **terms) as slow:
        send_numbers(client, range(COUNT), channel_of)
        last = {channel_of(number): number for number in range(COUNT)}
        stands_for = take_coalesced(slow, last)
        assert stands_for == collections.Counter(map(channel_of, range(COUNT)))


def test_coalescing_brings_the_newest_value_of_each_key(client, reader):
    keys = [b"key/%d" % number for number in range(5)]
    terms = {"slow_consumer_policy": COALESCE, "max_queue_events": 5}
    with Subscriber(reader, key_prefixes=[b"key/"], with_values=True, **terms) as slow:
        for number in range(COUNT):
            version = client.Set(SetRequest(key=keys[number % 5], value=numbered(number))).version
        accounted, newest = 0, {}
        while accounted < COUNT:
            (event,) = slow.take(1)
            accounted += 1 + event.coalesced
            assert event.key_event.kind == KEY_EVENT_KIND_SET
            newest[event.key_event.key] = event.key_event
        assert accounted == COUNT
        assert {key: int(e.value) for key, e in newest.items()} == {
            keys[number % 5]: number for number in range(COUNT - 5, COUNT)
        }
        assert newest[keys[(COUNT - 1) % 5]].version == version


def send_until_one_is_ended(server, client, begin):
    """Publishes numbers until a stream has been ended for not reading; returns the first number
    that was not published.
    """

    def ended():
        series = "ferrite_subscriber_dropped_total", frozenset([("reason", "too_slow")])
        return scrape(server)[series]

    before = ended()
    while ended() == before:
        send_numbers(client, range(begin, begin + 100))
        begin += 100
    return begin


def test_policy_end_ends_the_stream_with_a_token_that_resumes_it(server, client, reader):
    terms = {"slow_consumer_policy": END, "max_queue_events": 10}
    with Subscriber(reader, channels=[b"c"], **terms) as slow:
        assert_live(client, slow, 0)
        count = send_until_one_is_ended(server, client, 20)
        events, failure = slow.rest()
        numbers = [*range(20), *map(number_of, events)]
        assert (failure.code, failure.reason) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "SUBSCRIBER_TOO_SLOW",
        ), failure
        token = dict(slow.call.trailing_metadata())["ferrite-resume-token-bin"]
        assert token == slow.token, "the token is that of the last event that arrived"
    assert len(numbers) < count
    with Subscriber(client, channels=[b"c"], resume_token=token) as again:
        assert again.resumed
        numbers += [number_of(event) for event in again.take(count - len(numbers))]
        assert numbers == list(range(count))
        assert_live(client, again, count)


def test_an_ended_stream_that_resumes_too_late_is_told_of_the_gap():
    with ServerProcess("--history-events=300") as server, CacheClient(
        server.grpc_address
    ) as client, CacheClient(server.grpc_address, NARROW) as reader:
        terms = {"slow_consumer_policy": END, "max_queue_events": 10}
        with Subscriber(reader, channels=[b"c"], **terms) as slow:
            assert_live(client, slow, 0)
            count = send_until_one_is_ended(server, client, 20)
            send_numbers(client, range(count, count + COUNT))
            count += COUNT
            assert slow.failure().reason == "SUBSCRIBER_TOO_SLOW"
            token = dict(slow.call.trailing_metadata())["ferrite-resume-token-bin"]
        with Subscriber(client, channels=[b"c"], resume_token=token) as again:
            assert not again.resumed
            gap = again.take_discontinuity()
            assert (gap.reason, gap.after_sequence) == (HISTORY_EXCEEDED, slow.position)
            assert [number_of(e) for e in again.take(300)] == list(range(count - 300, count))


@pytest.mark.parametrize("seed", range(3))
def test_coalescing_counts_messages_of_all_sizes(client, reader, seed):
    """Counts are right even if the newest message does not fit in the place of an older one."""
    chance = random.Random(seed)
    terms = {"slow_consumer_policy": COALESCE, "max_queue_bytes": 10_000}
    with Subscriber(reader, channel_globs=[b"c/*"], **terms) as slow:
        sent, last = collections.Counter(), {}
        for number in range(COUNT):
            channel = b"c/%d" % chance.randrange(5)
            publish(client, channel, b"%d" % number + b" " * chance.choice([10, 1000, 5000]))
            sent[channel] += 1
            last[channel] = number
        assert take_coalesced(slow, last) == sent
