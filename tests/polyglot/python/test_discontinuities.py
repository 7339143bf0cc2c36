"""Streams that cannot resume without a gap: a Discontinuity announces the gap, with its
reason and in its place.
"""

import contextlib

from cache_client import CacheClient
from ferrite.v1.cache_pb2 import (
    DISCONTINUITY_REASON_HISTORY_EXCEEDED as HISTORY_EXCEEDED,
    DISCONTINUITY_REASON_NOT_RECORDED as NOT_RECORDED,
    DISCONTINUITY_REASON_OTHER_SERVER as OTHER_SERVER,
    SetRequest,
)
from server_process import ServerProcess
from subscriber import (
    Subscriber,
    numbers_of,
    publish,
    publish_numbers,
    wait_for_receivers,
    wait_until_forgotten,
)


@contextlib.contextmanager
def connected_server(*flags):
    with ServerProcess(*flags) as server, CacheClient(server.grpc_address) as client:
        yield client


def resumed_with_a_gap(client, token, reason, after_sequence, **follows):
    """A resumed stream that begins with this gap."""
    subscriber = Subscriber(client, resume_token=token, **follows)
    assert not subscriber.resumed
    gap = subscriber.take_discontinuity()
    assert (gap.reason, gap.after_sequence) == (reason, after_sequence), gap
    return subscriber


def left_at(client, channel, *numbers):
    """Publishes the numbers and reads each of them, then leaves. Returns the position.
    """
    with Subscriber(client, channels=[channel]) as subscriber:
        for number in numbers:
            publish_numbers(client, channel, [number])
            assert numbers_of(subscriber.take(1)) == [number]
        return subscriber.token, subscriber.position


def test_events_in_the_history_arrive_and_lost_ones_are_announced():
    with connected_server("--history-events=10") as client:
        token, position = left_at(client, b"c", 0, 1)
        publish_numbers(client, b"c", range(2, 12))
        with Subscriber(client, channels=[b"c"], resume_token=token) as subscriber:
            assert subscriber.resumed, "the history holds exactly ten events"
            assert numbers_of(subscriber.take(10)) == list(range(2, 12))
        publish_numbers(client, b"c", range(12, 13))
        with resumed_with_a_gap(
            client, token, HISTORY_EXCEEDED, position, channels=[b"c"]
        ) as subscriber:
            assert subscriber.position == position + 1, "one event is missing"
            assert numbers_of(subscriber.take(10)) == list(range(3, 13))
            for number in range(13, 40):
                publish_numbers(client, b"c", [number])
                assert numbers_of(subscriber.take(1)) == [number]


def test_a_stream_resumes_from_a_discontinuity():
    with connected_server("--history-events=10") as client:
        token, position = left_at(client, b"c", 0)
        publish_numbers(client, b"c", range(1, 20))
        with resumed_with_a_gap(
            client, token, HISTORY_EXCEEDED, position, channels=[b"c"]
        ) as subscriber:
            token = subscriber.token
        with Subscriber(client, channels=[b"c"], resume_token=token) as subscriber:
            assert subscriber.resumed
            assert numbers_of(subscriber.take(10)) == list(range(10, 20))


def test_a_history_is_bounded_in_bytes_too():
    with connected_server("--history-bytes=64KiB") as client:
        token, position = left_at(client, b"c", 0)
        for number in range(1, 21):
            assert publish(client, b"c", b"%d" % number + b" " * 10_000).sequence
        with resumed_with_a_gap(
            client, token, HISTORY_EXCEEDED, position, channels=[b"c"]
        ) as subscriber:
            (first,) = numbers_of(subscriber.take(1))
            assert 14 <= first <= 16, "as many as fit in 64 KiB"
            assert numbers_of(subscriber.take(20 - first)) == list(range(first + 1, 21))


def test_an_event_larger_than_the_history_is_kept_while_it_is_the_newest():
    with connected_server("--history-bytes=64KiB") as client:
        token, _ = left_at(client, b"c", 0)
        assert publish(client, b"c", b"v" * (1 << 20)).sequence
        with Subscriber(client, channels=[b"c"], resume_token=token) as subscriber:
            assert subscriber.resumed, "nothing was recorded in between"
            assert subscriber.take_payloads(1) == [b"v" * (1 << 20)]


def test_events_of_other_channels_push_events_out_of_the_history():
    """The server cannot know that none of the lost events was for this stream, so it announces that
    some may have been.
    """
    with connected_server("--history-events=10") as client:
        token, position = left_at(client, b"c", 0)
        left_at(client, b"other", *range(20))
        with resumed_with_a_gap(
            client, token, HISTORY_EXCEEDED, position, channels=[b"c"]
        ) as subscriber:
            publish_numbers(client, b"c", [1])
            assert numbers_of(subscriber.take(1)) == [1]


def test_events_after_the_linger_time_are_not_recorded():
    with connected_server("--subscription-linger=100ms") as client:
        token, position = left_at(client, b"c", 0, 1)
        left_at(client, b"other", 0)
        wait_until_forgotten(client, b"c")
        assert publish(client, b"c", b"lost").sequence == 0
        with resumed_with_a_gap(
            client, token, NOT_RECORDED, position, channels=[b"c"]
        ) as subscriber:
            publish_numbers(client, b"c", [2])
            assert numbers_of(subscriber.take(1)) == [2]
        # From here on the channel is followed again.
        with Subscriber(client, channels=[b"c"], resume_token=subscriber.token) as again:
            assert again.resumed


def test_a_stream_resumed_with_more_topics_announces_that_they_were_not_recorded():
    with connected_server() as client:
        token, position = left_at(client, b"c", 0)
        wait_for_receivers(client, b"c", 0)
        for more in (
            {"channels": [b"new"]},
            {"channel_globs": [b"c*"]},
            {"keys": [b"c"]},
            {"key_prefixes": [b"c"]},
        ):
            follows = {"channels": [b"c"], **more}
            follows["channels"] = [b"c", *more.get("channels", [])]
            with resumed_with_a_gap(client, token, NOT_RECORDED, position, **follows) as subscriber:
                publish_numbers(client, b"c", [7])
                while numbers_of(subscriber.take(1)) != [7]:
                    pass


def test_a_stream_resumed_with_values_announces_that_they_were_not_recorded():
    with connected_server() as client:
        with Subscriber(client, keys=[b"k"]) as subscriber:
            token, position = subscriber.token, subscriber.position
        client.Set(SetRequest(key=b"k", value=b"not recorded"))
        with resumed_with_a_gap(
            client, token, NOT_RECORDED, position, keys=[b"k"], with_values=True
        ) as subscriber:
            client.Set(SetRequest(key=b"k", value=b"recorded"))
            assert subscriber.take(1)[0].key_event.value == b"recorded"


def test_a_token_of_another_server_is_recognized():
    with connected_server() as elsewhere, connected_server() as client:
        token, _ = left_at(elsewhere, b"c", *range(10))
        left_at(client, b"c", *range(5))
        with resumed_with_a_gap(client, token, OTHER_SERVER, 0, channels=[b"c"]) as subscriber:
            publish_numbers(client, b"c", [5, 6])
            assert numbers_of(subscriber.take(2)) == [5, 6]
            token = subscriber.token
        with Subscriber(client, channels=[b"c"], resume_token=token) as subscriber:
            assert subscriber.resumed, "the new token belongs to this server"


def test_a_restart_is_announced_and_the_stream_continues():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        subscriber = Subscriber(client, channels=[b"c"])
        publish_numbers(client, b"c", range(3))
        assert numbers_of(subscriber.take(3)) == [0, 1, 2]
        server.stop()
        assert subscriber.failure().reason == "SHUTTING_DOWN"
        port = server.grpc_address.rpartition(":")[2]
        with ServerProcess(grpc_port=port) as successor:
            with CacheClient(successor.grpc_address) as again, resumed_with_a_gap(
                again, subscriber.token, OTHER_SERVER, 0, channels=[b"c"]
            ) as resumed:
                publish_numbers(again, b"c", [3, 4])
                assert numbers_of(resumed.take(2)) == [3, 4]


def test_unfollowed_messages_are_announced_even_if_nothing_else_was_recorded():
    with connected_server() as client:
        with Subscriber(client, channels=[b"other"]) as subscriber:
            token, position = subscriber.token, subscriber.position
        assert publish(client, b"c", b"lost").sequence == 0
        resumed_with_a_gap(client, token, NOT_RECORDED, position, channels=[b"c"]).cancel()
