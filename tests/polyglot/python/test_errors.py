"""Every status with which a call may fail, and its ErrorInfo. A refused call changes nothing."""

import grpc
import pytest
from cache_client import CacheClient, assert_refused, failure_from
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
    MGetRequest,
)
from ferrite.v1.cache_pb2 import MSetRequest, SetRequest, TouchRequest
from server_process import ServerProcess

MAX_TTL_MS = 100 * 365 * 24 * 3_600_000
LEAST = -(1 << 63)
GREATEST = (1 << 63) - 1
BAD_TTLS = [0, -1, LEAST, MAX_TTL_MS + 1, GREATEST]
BAD_TIMES = [0, 1, -1, LEAST, 1_000_000_000_000, GREATEST]

KEYED = {
    "Get": GetRequest,
    "Set": SetRequest,
    "Delete": DeleteRequest,
    "Touch": TouchRequest,
    "Incr": IncrRequest,
}
BATCHES = {
    "Exists": lambda keys: ExistsRequest(keys=keys),
    "MGet": lambda keys: MGetRequest(keys=keys),
    "MSet": lambda keys: MSetRequest(entries=[SetRequest(key=key) for key in keys]),
    "MDelete": lambda keys: MDeleteRequest(keys=keys),
}


@pytest.mark.parametrize("method", KEYED)
def test_the_key_of_a_call_is_1_to_4096_bytes(client, method):
    call, request = getattr(client, method), KEYED[method]
    assert_refused("KEY_EMPTY", call, request(key=b""))
    assert_refused("KEY_TOO_LARGE", call, request(key=b"k" * 4097), limit=4096)
    call(request(key=b"k" * 4096))
    client.Delete(DeleteRequest(key=b"k" * 4096))


@pytest.mark.parametrize("method", BATCHES)
def test_a_batch_has_1_to_1024_good_keys(client, key, method):
    call, request = getattr(client, method), BATCHES[method]
    assert_refused("BATCH_EMPTY", call, request([]))
    assert_refused("BATCH_TOO_LARGE", call, request([b"k"] * 1025), limit=1024)
    assert_refused("BATCH_TOO_LARGE", call, request([b"k"] * 100_000), limit=1024)
    assert_refused("KEY_EMPTY", call, request([key, b""]))
    assert_refused("KEY_TOO_LARGE", call, request([key, b"k" * 4097]), limit=4096)
    assert not client.Get(GetRequest(key=key)).found, "a batch that fails changes nothing"
    assert not client.Get(GetRequest(key=b"k")).found, "a batch that fails changes nothing"


def test_a_refused_mdelete_deletes_nothing(client, key):
    client.Set(SetRequest(key=key))
    assert_refused("KEY_EMPTY", client.MDelete, MDeleteRequest(keys=[key, b""]))
    assert client.Get(GetRequest(key=key)).found


def test_a_value_is_at_most_1_mib(client, key):
    limit = 1 << 20
    assert client.Set(SetRequest(key=key, value=b"v" * limit)).stored
    stands = client.Get(GetRequest(key=key))
    assert_refused(
        "VALUE_TOO_LARGE", client.Set, SetRequest(key=key, value=b"v" * (limit + 1)), limit=limit
    )
    entries = [SetRequest(key=key, value=b"small"), SetRequest(key=key, value=b"v" * (limit + 1))]
    assert_refused("VALUE_TOO_LARGE", client.MSet, MSetRequest(entries=entries), limit=limit)
    assert client.Get(GetRequest(key=key)) == stands


@pytest.mark.parametrize("ttl_ms", BAD_TTLS)
def test_a_ttl_is_1_ms_to_100_years(client, key, ttl_ms):
    stands = client.Set(SetRequest(key=key, value=b"5")).version
    for call, request in (
        (client.Set, SetRequest(key=key, value=b"6", ttl_ms=ttl_ms)),
        (client.Touch, TouchRequest(key=key, ttl_ms=ttl_ms)),
        (client.Get, GetRequest(key=key, touch_ttl_ms=ttl_ms)),
        (client.Incr, IncrRequest(key=key, ttl_ms=ttl_ms)),
        (client.Incr, IncrRequest(key=key, initial_ttl_ms=ttl_ms)),
        (client.MSet, MSetRequest(entries=[SetRequest(key=key, value=b"6", ttl_ms=ttl_ms)])),
    ):
        assert_refused("TTL_OUT_OF_RANGE", call, request)
    read = client.Get(GetRequest(key=key))
    assert read.value == b"5" and read.version == stands and not read.HasField("ttl_ms")


@pytest.mark.parametrize("unix_ms", BAD_TIMES)
def test_a_unix_time_is_in_the_next_100_years(client, key, unix_ms):
    client.Set(SetRequest(key=key, value=b"5"))
    for call, request in (
        (client.Set, SetRequest(key=key, value=b"6", expire_at_unix_ms=unix_ms)),
        (client.Touch, TouchRequest(key=key, expire_at_unix_ms=unix_ms)),
        (
            client.MSet,
            MSetRequest(entries=[SetRequest(key=key, value=b"6", expire_at_unix_ms=unix_ms)]),
        ),
    ):
        assert_refused("TTL_OUT_OF_RANGE", call, request)
    assert client.Get(GetRequest(key=key)).value == b"5"


def test_contradictions_are_refused(client, key):
    version = client.Set(SetRequest(key=key, value=b"5")).version
    absent = cache_pb2.SET_CONDITION_ABSENT
    assert_refused(
        "CONTRADICTION", client.Set, SetRequest(key=key, condition=absent, if_version=version)
    )
    assert_refused("CONTRADICTION", client.Incr, IncrRequest(key=key, min=2, max=1))
    assert_refused("CONTRADICTION", client.Incr, IncrRequest(key=key, min=GREATEST, max=LEAST))
    assert_refused("CONTRADICTION", client.Incr, IncrRequest(key=key + b"new", min=1, max=0))
    assert client.Get(GetRequest(key=key)).value == b"5"
    assert not client.Get(GetRequest(key=key + b"new")).found


NOT_COUNTERS = [
    b"text", b"", b" ", b" 1", b"1 ", b"+1", b"01", b"-01", b"-0", b"--1", b"-", b"1.0", b"1e3",
    b"0x10", b"1\0", b"\0", b"1\n", b"9223372036854775808", b"-9223372036854775809", b"9" * 40,
    b"1" * 100_000, "١".encode(),
]  # fmt: skip


@pytest.mark.parametrize("value", NOT_COUNTERS, ids=lambda value: repr(value[:24]))
def test_incr_of_a_value_that_is_no_decimal_int64(client, key, value):
    stands = client.Set(SetRequest(key=key, value=value)).version
    for request in (IncrRequest(key=key), IncrRequest(key=key, delta=0, initial=5, overflow=2)):
        assert_refused(
            "NOT_A_COUNTER", client.Incr, request, code=grpc.StatusCode.FAILED_PRECONDITION
        )
    read = client.Get(GetRequest(key=key))
    assert read.value == value and read.version == stands


def test_memory_full_is_resource_exhausted():
    value = b"v" * 10_000
    with ServerProcess("--max-memory=64MiB", "--eviction=noeviction") as server:
        with CacheClient(server.grpc_address) as client:
            number = 0
            with pytest.raises(grpc.RpcError) as error:
                for number in range(20_000):
                    client.Set(SetRequest(key=b"%d" % number, value=value))
            assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert_refused(
                "MEMORY_FULL",
                client.Set,
                SetRequest(key=b"x", value=value),
                code=error.value.code(),
            )
            results = client.MSet(MSetRequest(entries=[SetRequest(key=b"x", value=value)])).results
            assert (results[0].error.code, results[0].error.reason) == (
                8,
                cache_pb2.MEMORY_FULL,
            )
            assert results[0].error.message
            assert client.Get(GetRequest(key=b"%d" % (number - 1))).value == value, "reads work"


def test_an_unknown_method_is_unimplemented(client):
    call = client.channel.unary_unary("/ferrite.v1.CacheService/NoSuchMethod")
    assert failure_from(call, b"", timeout=60).code == grpc.StatusCode.UNIMPLEMENTED
    call = client.channel.unary_unary("/no.such.Service/Get")
    assert failure_from(call, b"", timeout=60).code == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", ["Get", "Set", "MSet", "Scan", "Incr"])
def test_a_request_that_is_no_protobuf_is_refused(client, key, method):
    path = f"/ferrite.v1.CacheService/{method}"
    call = (
        client.channel.unary_stream(path) if method == "Scan" else client.channel.unary_unary(path)
    )
    failure = failure_from(call, b"\xff\xff\xff\xff\xff", timeout=60)
    assert failure.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT), failure
    assert client.Set(SetRequest(key=key)).stored, "the connection survives"


def test_an_unreachable_server_is_unavailable(key):
    with ServerProcess() as server:
        client = CacheClient(server.grpc_address)
        client.Get(GetRequest(key=key))
    assert failure_from(client.Get, GetRequest(key=key)).code == grpc.StatusCode.UNAVAILABLE
    client.close()
