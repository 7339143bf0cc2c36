"""Subscriptions that the server refuses: the error gives the reason as text and as a detail."""

import grpc
import pytest
from cache_client import CacheClient, assert_refused
from eventually import eventually
from ferrite.v1.cache_pb2 import SubscribeRequest
from server_process import ServerProcess
from subscriber import Subscriber, publish

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def refused(client, reason, limit=None, **request):
    assert_refused(reason, client.Subscribe, SubscribeRequest(**request), limit=limit)


def names(count):
    return [b"%d" % number for number in range(count)]


def test_a_subscription_has_1_to_1024_topics(client):
    refused(client, "SUBSCRIPTION_EMPTY")
    refused(client, "SUBSCRIPTION_EMPTY", heartbeat_ms=100, with_values=True)
    for field in ("channels", "channel_globs", "keys", "key_prefixes"):
        refused(client, "SUBSCRIPTION_TOO_LARGE", 1024, **{field: names(1025)})
    quarter = names(256)
    everything = {f: quarter for f in ("channels", "channel_globs", "keys", "key_prefixes")}
    Subscriber(client, **everything).cancel()
    everything["keys"] = names(257)
    refused(client, "SUBSCRIPTION_TOO_LARGE", 1024, **everything)


def test_channels_and_globs_have_length_limits(client, key):
    refused(client, "CHANNEL_EMPTY", channels=[key, b""])
    refused(client, "CHANNEL_EMPTY", channel_globs=[b"", key])
    refused(client, "CHANNEL_TOO_LARGE", 4096, channels=[key, b"c" * 4097])
    refused(client, "CHANNEL_TOO_LARGE", 256, channel_globs=[key, b"c" * 257])
    longest = {"channels": [b"c" * 4096], "channel_globs": [b"c" * 255 + b"*"]}
    with Subscriber(client, **longest) as subscriber:
        assert publish(client, b"c" * 4096).receivers == 1
        assert subscriber.take(1)[0].message.channel == b"c" * 4096


def test_keys_and_prefixes_have_length_limits(client, key):
    refused(client, "KEY_EMPTY", keys=[key, b""])
    refused(client, "KEY_TOO_LARGE", 4096, keys=[b"k" * 4097])
    refused(client, "KEY_TOO_LARGE", 4096, key_prefixes=[b"", b"k" * 4097])
    Subscriber(client, keys=[b"k" * 4096], key_prefixes=[b"", b"k" * 4096]).cancel()


@pytest.mark.parametrize("glob", [b"[", b"a[b", b"[^", b"[^a", b"a[b-", b"\\", b"a*\\", b"[a\\]"])
def test_a_glob_must_be_complete(client, key, glob):
    refused(client, "GLOB_INVALID", channel_globs=[key, glob])


def test_a_resume_token_must_come_from_a_server(client, key):
    with Subscriber(client, channels=[key]) as subscriber:
        token = subscriber.token
    garbage = (b"x", b"garbage of some length", b"t" * 4096)
    for wrong in (*garbage, token[:-1], token + b"\0", token * 2):
        refused(client, "RESUME_TOKEN_INVALID", channels=[key], resume_token=wrong)


def test_a_heartbeat_is_from_100_ms_to_an_hour(client, key):
    for wrong in (99, 3_600_001, 0, -1, 2**63 - 1, -(2**63)):
        refused(client, "FIELD_OUT_OF_RANGE", channels=[key], heartbeat_ms=wrong)
    for right in (100, 3_600_000):
        Subscriber(client, channels=[key], heartbeat_ms=right).cancel()
    with pytest.raises(grpc.RpcError) as error:
        next(client.Subscribe(SubscribeRequest(channels=[key], heartbeat_ms=99)))
    for part in ("heartbeat_ms", "99", "100", "3600000"):
        assert part in error.value.details()


def test_unknown_policies_kinds_and_sizes_are_refused(client, key):
    for wrong in (
        {"slow_consumer_policy": 4},
        {"slow_consumer_policy": -1},
        {"key_event_kinds": [1, 0]},
        {"key_event_kinds": [6]},
        {"max_queue_events": 0},
        {"max_queue_bytes": 0},
    ):
        refused(client, "FIELD_OUT_OF_RANGE", channels=[key], **wrong)
    least = {"slow_consumer_policy": 3, "max_queue_events": 1, "max_queue_bytes": 1}
    Subscriber(client, channels=[key], **least).cancel()
    most = {"max_queue_events": 2**32 - 1, "max_queue_bytes": 2**64 - 1}
    with Subscriber(client, channels=[key], **most) as subscriber:
        publish(client, key, b"as the server allows")
        assert subscriber.take_payloads(1) == [b"as the server allows"]


def test_bytes_that_are_no_request_are_refused(client):
    call = client.channel.unary_stream("/ferrite.v1.CacheService/Subscribe")
    with pytest.raises(grpc.RpcError) as error:
        next(call(b"\x0a\x7fshort", timeout=60))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_refused_subscription_follows_nothing(client, key):
    refused(client, "FIELD_OUT_OF_RANGE", channels=[key], heartbeat_ms=1)
    refused(client, "CHANNEL_EMPTY", channels=[key, b""])
    assert publish(client, key).sequence == 0


def test_the_number_of_subscribers_is_limited(key):
    with ServerProcess("--max-subscribers=3") as server, CacheClient(server.grpc_address) as client:
        subscribers = [Subscriber(client, channels=[key]) for _ in range(3)]
        for _ in range(10):
            request = SubscribeRequest(channels=[key])
            assert_refused("OVERLOADED", client.Subscribe, request, limit=3, code=EXHAUSTED)
        # A subscription that is refused for another reason takes no place.
        for _ in range(10):
            refused(client, "CHANNEL_EMPTY", channels=[b""])
        assert publish(client, key).receivers == 3
        subscribers.pop().cancel()

        def subscribe():
            try:
                return Subscriber(client, channels=[key])
            except grpc.RpcError:
                return None

        subscribers.append(eventually(subscribe, bool, "its place is free again"))
        assert publish(client, key, b"last").receivers == 3
        assert subscribers[-1].take_payloads(1) == [b"last"]
        for subscriber in subscribers:
            subscriber.cancel()


def test_a_subscription_beyond_the_limit_is_told_when_to_retry(key):
    with ServerProcess("--max-subscribers=1") as server, CacheClient(server.grpc_address) as client:
        with Subscriber(client, channels=[key]):
            with pytest.raises(grpc.RpcError) as error:
                next(client.Subscribe(SubscribeRequest(channels=[key])))
            assert int(dict(error.value.trailing_metadata())["grpc-retry-pushback-ms"]) > 0
