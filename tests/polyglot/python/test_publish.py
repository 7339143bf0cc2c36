"""Publish: which streams a message reaches, in which order, and what is refused."""

import concurrent.futures

from cache_client import CacheClient, assert_refused
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import (
    GetRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    PublishResponse,
    SetRequest,
)
from subscriber import Subscriber, publish, wait_for_receivers

MIB = 1 << 20


def publishing(channel, payload=b""):
    return Operation(publish=PublishRequest(channel=channel, payload=payload))


def results_of(client, *operations):
    (reply,) = client.Pipeline(iter([PipelineRequest(operations=operations)]))
    return reply.results


def test_a_message_that_nobody_follows_is_not_recorded(client, key):
    assert publish(client, key, b"into the blue") == PublishResponse(receivers=0, sequence=0)


def test_messages_arrive_in_order_with_the_sequences_of_the_replies(client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        replies = [publish(client, key, b"%d" % number) for number in range(500)]
        events = subscriber.take(500)
    assert [event.message.payload for event in events] == [b"%d" % number for number in range(500)]
    assert [event.sequence for event in events] == [reply.sequence for reply in replies]
    assert all(event.message.channel == key for event in events)
    assert all(reply.receivers == 1 for reply in replies)
    assert not any(event.coalesced for event in events)


def test_a_message_goes_to_every_stream_that_follows_its_channel(server, client, key):
    with CacheClient(server.grpc_address) as other:
        subscribers = [Subscriber(c, channels=[key]) for c in (client, client, other)]
        assert publish(client, key, b"to all").receivers == 3
        events = [subscriber.take(1)[0] for subscriber in subscribers]
        assert len({event.SerializeToString() for event in events}) == 1, events
        for subscriber in subscribers:
            subscriber.cancel()


def test_a_stream_that_follows_a_channel_in_many_ways_counts_and_receives_once(client, key):
    ways = {"channels": [key, key], "channel_globs": [key + b"*", b"*", key[:-1] + b"?", key]}
    with Subscriber(client, **ways) as subscriber:
        assert publish(client, key, b"1").receivers == 1
        assert publish(client, key, b"2").receivers == 1
        assert subscriber.take_payloads(2) == [b"1", b"2"]
        with Subscriber(client, channels=[key]):
            assert publish(client, key, b"3").receivers == 2
            assert subscriber.take_payloads(1) == [b"3"]


def test_a_cancelled_stream_is_no_receiver(client, key):
    with Subscriber(client, channels=[key]) as stays:
        with Subscriber(client, channels=[key]), Subscriber(client, channel_globs=[key + b"*"]):
            assert publish(client, key).receivers == 3
        wait_for_receivers(client, key, 1)
        stays.cancel()
        wait_for_receivers(client, key, 0)


def test_a_message_of_a_recently_followed_channel_is_still_recorded(client, key):
    Subscriber(client, channels=[key]).cancel()
    wait_for_receivers(client, key, 0)
    reply = publish(client, key)
    assert reply.receivers == 0 and reply.sequence > 0, reply


def test_channels_and_messages_are_any_bytes_up_to_their_limits(client, key):
    longest = key + b"\0\xff" * 2048
    messages = {
        key + b"\0\xff\x80": b"\xfe\0\n",
        key + "é".encode(): b"",
        longest[:4096]: b"v" * MIB,
        longest[:1]: b"a channel of one byte",
    }
    with Subscriber(client, channels=list(messages)) as subscriber:
        for channel, payload in messages.items():
            assert publish(client, channel, payload).receivers == 1
        events = subscriber.take(len(messages))
    assert [(e.message.channel, e.message.payload) for e in events] == list(messages.items())


def test_many_large_messages_arrive_complete(client, key):
    payloads = [b"%d" % number * MIB for number in range(8)]
    with Subscriber(client, channels=[key], max_queue_bytes=MIB) as subscriber:
        for payload in payloads:
            assert publish(client, key, payload[:MIB]).receivers == 1
        assert subscriber.take_payloads(8) == [payload[:MIB] for payload in payloads]


def test_a_frame_publishes_among_its_other_operations(client, key):
    with Subscriber(client, channels=[key], keys=[key], with_values=True) as subscriber:
        first, written, second, read = results_of(
            client,
            publishing(key, b"before"),
            Operation(set=SetRequest(key=key, value=b"value")),
            publishing(key, b"after"),
            Operation(get=GetRequest(key=key)),
        )
        before, wrote, after = subscriber.take(3)
    assert (before.message.payload, before.sequence) == (b"before", first.publish.sequence)
    assert (wrote.key_event.value, wrote.key_event.version) == (b"value", written.set.version)
    assert (after.message.payload, after.sequence) == (b"after", second.publish.sequence)
    assert first.publish.receivers == second.publish.receivers == 1
    assert read.get.value == b"value"


def test_a_frame_of_1024_messages_arrives_in_order(client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        results = results_of(client, *[publishing(key, b"%d" % number) for number in range(1024)])
        events = subscriber.take(1024)
    assert [event.message.payload for event in events] == [b"%d" % n for n in range(1024)]
    assert [event.sequence for event in events] == [r.publish.sequence for r in results]


def test_channels_and_messages_beyond_their_limits_are_refused_and_reach_nobody(client, key):
    with Subscriber(client, channels=[key], channel_globs=[b"*"]) as subscriber:
        assert_refused("CHANNEL_EMPTY", client.Publish, PublishRequest(payload=b"x"), limit=None)
        too_long = PublishRequest(channel=b"c" * 4097)
        assert_refused("CHANNEL_TOO_LARGE", client.Publish, too_long, limit=4096)
        too_large = PublishRequest(channel=key, payload=b"v" * (MIB + 1))
        assert_refused("VALUE_TOO_LARGE", client.Publish, too_large, limit=MIB)
        results = results_of(
            client,
            publishing(b""),
            publishing(b"c" * 4097),
            publishing(key, b"v" * (MIB + 1)),
            publishing(key, b"good"),
        )
        assert [result.error.reason for result in results] == [
            cache_pb2.CHANNEL_EMPTY,
            cache_pb2.CHANNEL_TOO_LARGE,
            cache_pb2.VALUE_TOO_LARGE,
            cache_pb2.ERROR_REASON_UNSPECIFIED,
        ]
        assert [result.error.code for result in results] == [3, 3, 3, 0]
        assert subscriber.take_payloads(1) == [b"good"]


def test_every_stream_gets_the_messages_of_many_publishers_in_the_same_order(server, client, key):
    publishers, each = 8, 100
    channels = [key + b"/%d" % number for number in range(4)]

    def publish_some(number):
        with CacheClient(server.grpc_address) as own:
            return [
                publish(own, channels[n % len(channels)], b"%d/%d" % (number, n)).sequence
                for n in range(each)
            ]

    with Subscriber(client, channels=channels) as one, Subscriber(
        client, channel_globs=[key + b"*"]
    ) as other:
        with concurrent.futures.ThreadPoolExecutor(publishers) as pool:
            sequences = list(pool.map(publish_some, range(publishers)))
        seen = one.take(publishers * each)
        assert seen == other.take(publishers * each)
    assert all(of_one == sorted(of_one) for of_one in sequences)
    assert [event.sequence for event in seen] == sorted(sum(sequences, []))
    for number in range(publishers):
        own = [e.message.payload for e in seen if e.message.payload.startswith(b"%d/" % number)]
        assert own == [b"%d/%d" % (number, n) for n in range(each)]
