"""Subscribe to channels: delivery after the acknowledgement, globs, heartbeats, ends of streams."""

import concurrent.futures

import grpc
import pytest
from cache_client import CacheClient, failure_from
from ferrite.v1.cache_pb2 import SubscribeRequest
from server_process import ServerProcess
from subscriber import Subscriber, numbers_of, publish, publish_numbers


def test_the_first_event_acknowledges_the_position_where_the_stream_begins(client, key):
    with Subscriber(client, channels=[key]) as first:
        last = publish(client, key).sequence
        assert first.take(1)[0].sequence == last
        with Subscriber(client, channels=[key]) as second:
            assert not second.resumed
            assert second.position == last
            assert second.token == first.token, "the same position has the same token"


def test_messages_published_after_the_acknowledgement_are_delivered(server, key):
    """Many streams begin while others end and other channels get messages: none misses the first
    message of its own channel.
    """

    def begin_and_hear(number):
        with CacheClient(server.grpc_address) as client:
            for turn in range(25):
                channel = key + b"/%d/%d" % (number, turn % 3)
                with Subscriber(client, channels=[channel]) as subscriber:
                    assert publish(client, channel, b"%d" % turn).receivers >= 1
                    assert subscriber.take_payloads(1) == [b"%d" % turn]
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(begin_and_hear, range(8)))


def test_a_stream_follows_many_channels_and_globs(client, key):
    named, by_glob, other = key + b"/named", key + b"/glob/1", key + b"/other"
    follows = {"channels": [named], "channel_globs": [key + b"/glob/*"]}
    with Subscriber(client, **follows) as subscriber:
        assert publish(client, named, b"1").receivers == 1
        assert publish(client, other, b"2").receivers == 0
        assert publish(client, by_glob, b"3").receivers == 1
        assert publish(client, named, b"4").receivers == 1
        seen = [(event.message.channel, event.message.payload) for event in subscriber.take(3)]
    assert seen == [(named, b"1"), (by_glob, b"3"), (named, b"4")]


def test_a_stream_follows_1024_channels(client, key):
    channels = [key + b"/%d" % number for number in range(1024)]
    with Subscriber(client, channels=channels[:512], channel_globs=channels[512:]) as subscriber:
        for channel in channels:
            assert publish(client, channel).receivers == 1
        assert [event.message.channel for event in subscriber.take(1024)] == channels


NAMES = [
    b"a", b"ab", b"abc", b"abcd", b"b", b"ac", b"a*c", b"a?c", b"a[b]c", b"a\\c", b"ABC", b"a/b/c",
    b"abab", b"a\0c", b"a\xffc", b"-", b"^", b"]", "aéc".encode(),
]  # fmt: skip
GLOBS = {
    b"*": NAMES,
    b"**": NAMES,
    b"a": [b"a"],
    b"?": [b"a", b"b", b"-", b"^", b"]"],
    b"a*": [name for name in NAMES if name.startswith(b"a")],
    b"*c": [name for name in NAMES if name.endswith(b"c")],
    b"a?c": [b"abc", b"a*c", b"a?c", b"a\\c", b"a\0c", b"a\xffc"],
    b"a??c": ["aéc".encode()],
    b"a*b*c": [b"abc", b"a[b]c", b"a/b/c"],
    b"*ab": [b"ab", b"abab"],
    b"a[b-d]": [b"ab", b"ac"],
    b"a[^b-d]c": [b"a*c", b"a?c", b"a\\c", b"a\0c", b"a\xffc"],
    b"a[bx]c": [b"abc"],
    b"[a-]": [b"a", b"-"],
    b"[a^]": [b"a", b"^"],
    b"[\\]]": [b"]"],
    b"a\\*c": [b"a*c"],
    b"a\\?c": [b"a?c"],
    b"a\\[b\\]c": [b"a[b]c"],
    b"a\\\\c": [b"a\\c"],
    b"a[\x80-\xff]c": [b"a\xffc"],
    b"x*": [],
}


@pytest.mark.parametrize("glob", GLOBS, ids=repr)
def test_a_glob_matches_its_channels_and_no_others(client, key, glob):
    end = key + b"/end"
    with Subscriber(client, channel_globs=[glob], channels=[end]) as subscriber:
        receivers = {name: publish(client, name).receivers for name in NAMES}
        publish(client, end)
        seen = []
        while not seen or seen[-1] != end:
            (event,) = subscriber.take(1)
            # Globs of stars match the last message too, which still arrives only once.
            seen.append(event.message.channel)
    assert seen[:-1] == GLOBS[glob]
    assert receivers == {name: int(name in GLOBS[glob]) for name in NAMES}


def test_channel_names_are_not_globs(client, key):
    with Subscriber(client, channels=[key + b"*", key + b"[a]"]) as subscriber:
        assert publish(client, key + b"a").receivers == 0
        assert publish(client, key + b"*").receivers == 1
        assert publish(client, key + b"[a]").receivers == 1
        assert [e.message.channel for e in subscriber.take(2)] == [key + b"*", key + b"[a]"]


def test_heartbeats_come_when_idle_and_have_the_newest_position(client, key):
    with Subscriber(client, channels=[key], heartbeat_ms=100) as quiet:
        begin = quiet.position
        beats = [quiet.next_event() for _ in range(3)]
        assert all(beat.HasField("heartbeat") for beat in beats)
        assert {beat.sequence for beat in beats} == {begin}
        # Events of other channels advance the position, although this stream does not get them.
        with Subscriber(client, channels=[key + b"/busy"]):
            publish_numbers(client, key + b"/busy", range(99))
            last = publish(client, key + b"/busy").sequence
        while quiet.position < last:
            assert quiet.next_event().HasField("heartbeat")
        assert quiet.position == last
        token = quiet.token
        assert publish(client, key, b"after").receivers == 1
        assert quiet.take_payloads(1) == [b"after"]
    with Subscriber(client, channels=[key], resume_token=token) as again:
        assert again.resumed
        assert again.take_payloads(1) == [b"after"]


def test_streams_with_different_heartbeats_each_get_their_own(client, key):
    terms = {"channels": [key], "heartbeat_ms": 3_600_000}
    with Subscriber(client, **terms) as patient, Subscriber(
        client, channels=[key], heartbeat_ms=100
    ) as hasty:
        for _ in range(5):
            assert hasty.next_event().HasField("heartbeat")
        publish(client, key)
        assert patient.next_event().HasField("message"), "no heartbeat came before the message"


def test_a_deadline_ends_a_stream(client, key):
    request = SubscribeRequest(channels=[key])
    failure = failure_from(client.Subscribe, request, timeout=0.5)
    assert failure.code == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_shutdown_ends_streams_after_what_was_published(key):
    """The server does not wait for clients that would listen forever, and says why it ends."""
    with ServerProcess("--shutdown-grace=1h") as server:
        with CacheClient(server.grpc_address) as client, CacheClient(server.grpc_address) as other:
            idle = Subscriber(client, channels=[key + b"/idle"])
            busy = [Subscriber(c, channels=[key]) for c in (client, other) for _ in range(10)]
            publish_numbers(client, key, range(100))
            seen = [numbers_of(subscriber.take(100)) for subscriber in busy]
            assert seen == [list(range(100))] * 20
            server.terminate()
            for subscriber in [idle, *busy]:
                failure = subscriber.failure()
                assert failure.code == grpc.StatusCode.UNAVAILABLE, failure
                assert failure.reason == "SHUTTING_DOWN", failure
            assert server.wait()[0] == 0, server.log()
