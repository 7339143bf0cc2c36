"""Values that are larger than what a reply may have in all: each can be read by every call that reads."""

import grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient, assert_refused, failure_from, scan_all
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import (
    GetRequest,
    IncrRequest,
    MGetRequest,
    Operation,
    PipelineRequest,
    ScanRequest,
    SetRequest,
)
from server_process import ServerProcess

REPLY_LIMIT = 7 << 19
LARGE = b"v" * (6 << 20)
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def server():
    with ServerProcess("--max-value-bytes=8MiB") as process:
        yield process


@pytest.fixture(scope="module")
def client(server):
    with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as connected:
        yield connected


def results_of(client, *operations):
    (reply,) = client.Pipeline(iter([PipelineRequest(operations=operations)]))
    return reply.results


def test_mget_of_one_value(client, key):
    client.Set(SetRequest(key=key, value=LARGE))
    absent = [b"absent/%d" % number for number in range(100)]
    for keys in ([key], [*absent, key], [key, *absent]):
        results = client.MGet(MGetRequest(keys=keys)).results
        assert results[keys.index(key)].value == LARGE
        assert sum(result.found for result in results) == 1


def test_mget_of_more_says_how_many_fit_until_all_are_read(client, key):
    values = {key + b"/%d" % n: LARGE if n % 3 == 0 else b"small" for n in range(7)}
    for name, value in values.items():
        client.Set(SetRequest(key=name, value=value))
    left, read, calls = list(values), {}, 0
    while left:
        count = len(left)
        try:
            results = client.MGet(MGetRequest(keys=left)).results
        except grpc.RpcError:
            failure = failure_from(client.MGet, MGetRequest(keys=left))
            assert (failure.code, failure.reason) == (EXHAUSTED, "REPLY_TOO_LARGE")
            assert failure.limit == str(REPLY_LIMIT) and failure.limit in failure.message
            count = int(failure.metadata["fitting_keys"])
            results = client.MGet(MGetRequest(keys=left[:count])).results
        assert 1 <= count <= len(left)
        read.update(zip(left, (result.value for result in results)))
        left, calls = left[count:], calls + 1
    assert read == values and calls > 1


def test_what_would_be_too_large_again_is_not_to_be_repeated(client, key):
    client.Set(SetRequest(key=key, value=LARGE))
    with pytest.raises(grpc.RpcError) as error:
        client.MGet(MGetRequest(keys=[key, key]))
    assert dict(error.value.trailing_metadata())["grpc-retry-pushback-ms"] == "-1"
    assert_refused(
        "REPLY_TOO_LARGE", client.MGet, MGetRequest(keys=[key, key]), REPLY_LIMIT, EXHAUSTED
    )


def test_a_frame_with_one_large_value(client, key):
    client.Set(SetRequest(key=key, value=LARGE))
    counter = Operation(incr=IncrRequest(key=key + b"/n"))
    get = Operation(get=GetRequest(key=key))
    results = results_of(client, counter, counter, get, counter, get)
    assert [result.incr.value for result in results[:2]] == [1, 2]
    assert results[2].get.value == LARGE
    assert results[3].incr.value == 3
    assert results[4].error.reason == cache_pb2.REPLY_TOO_LARGE
    assert results[4].error.metadata["limit"] == str(REPLY_LIMIT)
    options = Operation(get=GetRequest(key=key, touch_ttl_ms=60_000))
    assert results_of(client, counter, options)[1].get.value == LARGE


def test_the_previous_value_may_be_large(client, key):
    client.Set(SetRequest(key=key, value=LARGE))
    swap = SetRequest(key=key, value=LARGE[1:], return_previous=True)
    assert client.Set(swap).previous.value == LARGE
    counter = Operation(incr=IncrRequest(key=key + b"/n"))
    first, second, _ = results_of(client, counter, Operation(set=swap), counter)
    assert first.incr.value == 1 and second.set.previous.value == LARGE[1:]


def test_previous_values_that_are_small_need_little_room(client, key):
    operations = []
    for number in range(20):
        name = key + b"/%d" % number
        client.Set(SetRequest(key=name, value=b"old"))
        swap = SetRequest(key=name, value=b"new", return_previous=True)
        operations.append(Operation(set=swap))
    results = results_of(client, *operations)
    assert [result.set.previous.value for result in results] == [b"old"] * 20


def test_a_scan_sends_each_large_value_in_a_message_of_its_own(client, key):
    values = {key + b"/%d" % n: LARGE[n:] if n % 10 == 0 else b"small" for n in range(50)}
    for name, value in values.items():
        client.Set(SetRequest(key=name, value=value))
    request = ScanRequest(prefix=key, with_values=True)
    for response in client.Scan(request):
        if response.ByteSize() > REPLY_LIMIT + 100_000:
            assert len(response.entries) == 1
    assert {entry.key: entry.value for entry in scan_all(client, request)} == values


def test_a_client_has_to_raise_its_own_limit(server, key):
    with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
        client.Set(SetRequest(key=key, value=LARGE))
    with CacheClient(server.grpc_address) as client:
        for call, request in (
            (client.Get, GetRequest(key=key)),
            (client.MGet, MGetRequest(keys=[key])),
        ):
            failure = failure_from(call, request)
            assert (failure.code, failure.reason) == (EXHAUSTED, None), failure
