"""Requests at the limits of the contract and far beyond them."""

import grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient, assert_refused, failure_from
from ferrite.v1.cache_pb2 import (
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
    MGetRequest,
    MSetRequest,
    ScanRequest,
    SetRequest,
    SubscribeRequest,
)
from server_process import ServerProcess

MIB = 1 << 20


@pytest.fixture(scope="module")
def large(server):
    """A client that does not limit message sizes."""
    with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as connected:
        yield connected


def longest_keys(seed):
    return [(b"%s/%d/" % (seed, number)).ljust(4096, b"\0") for number in range(1024)]


def test_1024_keys_of_4096_bytes_are_a_legal_batch(large, key):
    keys = longest_keys(key)
    assert not any(result.found for result in large.MGet(MGetRequest(keys=keys)).results)
    written = large.MSet(MSetRequest(entries=[SetRequest(key=k, value=b"v") for k in keys])).results
    assert len(written) == 1024 and all(result.response.stored for result in written)
    assert all(large.Exists(ExistsRequest(keys=keys)).exists)
    assert all(large.MDelete(MDeleteRequest(keys=keys)).deleted)


def test_100000_keys_are_refused_with_the_limit(large):
    keys = [b"key/%d" % number for number in range(100_000)]
    assert_refused("BATCH_TOO_LARGE", large.MGet, MGetRequest(keys=keys), limit=1024)
    assert_refused("BATCH_TOO_LARGE", large.MDelete, MDeleteRequest(keys=keys), limit=1024)


def test_a_request_far_beyond_any_limit_does_no_harm(large, key):
    failure = failure_from(large.Set, SetRequest(key=key, value=b"v" * (64 * MIB)))
    assert failure.code in (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INVALID_ARGUMENT,
    ), failure
    failure = failure_from(large.Get, GetRequest(key=b"k" * (64 * MIB)))
    assert failure.code in (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INVALID_ARGUMENT,
    ), failure
    assert not large.Get(GetRequest(key=key)).found
    assert large.Set(SetRequest(key=key, value=b"v")).stored


@pytest.mark.parametrize("value_bytes", [MIB, 2048])
def test_a_lone_client_with_large_messages_is_served(value_bytes):
    """Whatever the server may buffer: these limits are the smallest."""
    flags = ("--max-inflight-bytes=3MiB", "--max-connections=4", "--max-memory=64MiB")
    with ServerProcess(*flags) as server, CacheClient(server.grpc_address) as client:
        batch = MIB // value_bytes
        for number in range(226):
            keys = [b"%d/%d" % (number, place) for place in range(batch)]
            entries = [SetRequest(key=key, value=b"v" * value_bytes) for key in keys]
            written = client.MSet(MSetRequest(entries=entries)).results
            assert all(result.response.stored for result in written), number


def test_the_limit_on_values_is_a_setting():
    limit = 4 * MIB
    with ServerProcess("--max-value-bytes=4MiB") as server:
        with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
            value = bytes(range(256)) * (limit // 256)
            assert client.Set(SetRequest(key=b"k" * 4096, value=value)).stored
            assert client.Get(GetRequest(key=b"k" * 4096)).value == value
            assert_refused(
                "VALUE_TOO_LARGE", client.Set, SetRequest(key=b"x", value=value + b"v"), limit=limit
            )
            assert not client.Get(GetRequest(key=b"x")).found
            exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
            one = MGetRequest(keys=[b"k" * 4096])
            assert client.MGet(one).results[0].value == value, "one value may be of any size"
            two = MGetRequest(keys=[b"k" * 4096] * 2)
            assert_refused("REPLY_TOO_LARGE", client.MGet, two, code=exhausted)
    with ServerProcess("--max-value-bytes=10") as server, CacheClient(
        server.grpc_address
    ) as client:
        assert client.Set(SetRequest(key=b"k", value=b"v" * 10)).stored
        assert_refused(
            "VALUE_TOO_LARGE", client.Set, SetRequest(key=b"k", value=b"v" * 11), limit=10
        )
        assert client.Get(GetRequest(key=b"k")).value == b"v" * 10


def test_values_that_a_field_may_not_have_are_told_with_those_that_it_may(large, key):
    for call, request, allowed in (
        (large.Set, SetRequest(key=key, value=b"v", condition=9), "SET_CONDITION_ABSENT (1)"),
        (large.Incr, IncrRequest(key=key, delta=1, overflow=7), "OVERFLOW_POLICY_"),
        (
            large.Subscribe,
            SubscribeRequest(keys=[key], slow_consumer_policy=9),
            "SLOW_CONSUMER_POLICY_",
        ),
        (large.Subscribe, SubscribeRequest(keys=[key], key_event_kinds=[9]), "KEY_EVENT_KIND_SET"),
    ):
        failure = failure_from(call, request)
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT, failure
        assert failure.reason == "FIELD_OUT_OF_RANGE" and allowed in failure.message, failure
        assert "9" in failure.message or "7" in failure.message


def test_a_prefix_is_no_longer_than_a_key(large):
    assert_refused("KEY_TOO_LARGE", large.Scan, ScanRequest(prefix=b"p" * 4097), limit=4096)


def test_the_place_of_a_bad_key_in_a_batch_is_told(large, key):
    good, bad = SetRequest(key=key, value=b"v"), SetRequest(value=b"v")
    for call, request in (
        (large.MGet, MGetRequest(keys=[key, key, b""])),
        (large.Exists, ExistsRequest(keys=[key, key, b""])),
        (large.MDelete, MDeleteRequest(keys=[key, key, b""])),
        (large.MSet, MSetRequest(entries=[good, good, bad])),
    ):
        failure = failure_from(call, request)
        assert failure.reason == "KEY_EMPTY" and failure.metadata["index"] == "2", failure
