"""MGet, MSet and MDelete: order, duplicates, one outcome per entry."""

import concurrent.futures

import grpc
from cache_client import assert_refused
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import (
    ExistsRequest,
    GetRequest,
    GetResponse,
    IncrRequest,
    MDeleteRequest,
    MGetRequest,
)
from ferrite.v1.cache_pb2 import MSetRequest, SetRequest

HOUR_MS = 3_600_000


def keys_under(prefix, count):
    return [prefix + b"/%d" % number for number in range(count)]


def test_mget_answers_in_order_with_misses_and_duplicates(client, key):
    one, two = key + b"\0\xff1", key + b"\0\xff2"
    first = client.Set(SetRequest(key=one, value=b"\0one"))
    second = client.Set(SetRequest(key=two, value=b"two"))
    results = client.MGet(MGetRequest(keys=[two, key + b"none", one, two])).results
    hit_one = GetResponse(found=True, value=b"\0one", version=first.version)
    hit_two = GetResponse(found=True, value=b"two", version=second.version)
    assert list(results) == [hit_two, GetResponse(), hit_one, hit_two]


def test_mget_reports_the_ttl_like_get(client, key):
    client.Set(SetRequest(key=key, ttl_ms=HOUR_MS))
    (read,) = client.MGet(MGetRequest(keys=[key])).results
    assert HOUR_MS - 60_000 < read.ttl_ms <= HOUR_MS


def test_mset_then_mget_of_1024(client, key):
    keys = keys_under(key, 1024)
    written = client.MSet(
        MSetRequest(entries=[SetRequest(key=k, value=k[::-1]) for k in keys])
    ).results
    assert len(written) == 1024 and all(result.response.stored for result in written)
    read = client.MGet(MGetRequest(keys=keys)).results
    assert [result.value for result in read] == [k[::-1] for k in keys]
    assert [result.version for result in read] == [result.response.version for result in written]
    assert list(client.Exists(ExistsRequest(keys=keys)).exists) == [True] * 1024
    assert list(client.MDelete(MDeleteRequest(keys=keys)).deleted) == [True] * 1024
    assert not any(result.found for result in client.MGet(MGetRequest(keys=keys)).results)


def test_mset_writes_a_repeated_key_twice_in_order(client, key):
    entries = [
        SetRequest(key=key, value=b"1"),
        SetRequest(key=key, value=b"2"),
        SetRequest(key=key + b"other", value=b"x"),
        SetRequest(key=key, value=b"3", condition=cache_pb2.SET_CONDITION_PRESENT),
    ]
    results = [result.response for result in client.MSet(MSetRequest(entries=entries)).results]
    assert all(result.stored for result in results)
    assert results[0].version < results[1].version < results[3].version
    assert client.Get(GetRequest(key=key)) == GetResponse(
        found=True, value=b"3", version=results[3].version
    )


def test_mset_entries_have_their_own_conditions_and_expiry(client, key):
    there, new = key + b"there", key + b"new"
    stands = client.Set(SetRequest(key=there, value=b"old")).version
    entries = [
        SetRequest(key=there, value=b"1", condition=cache_pb2.SET_CONDITION_ABSENT),
        SetRequest(key=new, value=b"2", condition=cache_pb2.SET_CONDITION_ABSENT, ttl_ms=HOUR_MS),
        SetRequest(key=new, value=b"3", condition=cache_pb2.SET_CONDITION_PRESENT, keep_ttl=True),
        SetRequest(key=there, value=b"4", if_version=stands),
    ]
    results = [result.response for result in client.MSet(MSetRequest(entries=entries)).results]
    assert [result.stored for result in results] == [False, True, True, True]
    assert results[0].version == stands
    read = client.MGet(MGetRequest(keys=[there, new])).results
    assert [result.value for result in read] == [b"4", b"3"]
    assert read[1].ttl_ms > HOUR_MS - 60_000


def test_mset_that_breaks_a_limit_changes_nothing(client, key):
    bad_entries = [SetRequest(key=b""), SetRequest(key=b"k" * 4097), SetRequest(key=key, ttl_ms=0)]
    for bad, reason in zip(bad_entries, ("KEY_EMPTY", "KEY_TOO_LARGE", "TTL_OUT_OF_RANGE")):
        entries = [
            SetRequest(key=key + b"first", value=b"1"),
            bad,
            SetRequest(key=key + b"last", value=b"1"),
        ]
        assert_refused(reason, client.MSet, MSetRequest(entries=entries))
    assert not any(client.Exists(ExistsRequest(keys=[key + b"first", key + b"last", key])).exists)


def test_mset_does_not_return_previous_values(client, key):
    entries = [SetRequest(key=key), SetRequest(key=key, return_previous=True)]
    assert_refused("CONTRADICTION", client.MSet, MSetRequest(entries=entries))
    assert not client.Get(GetRequest(key=key)).found


def test_mset_with_request_ids_writes_once(client, key):
    entries = [
        SetRequest(key=key + b"%d" % n, value=b"1", request_id=key + b"%d" % n) for n in range(3)
    ]
    first = client.MSet(MSetRequest(entries=entries))
    client.MSet(
        MSetRequest(entries=[SetRequest(key=key + b"%d" % n, value=b"2") for n in range(3)])
    )
    assert client.MSet(MSetRequest(entries=entries)) == first
    read = client.MGet(MGetRequest(keys=[entry.key for entry in entries])).results
    assert [result.value for result in read] == [b"2"] * 3


def test_mdelete_deletes_a_repeated_key_once(client, key):
    client.Set(SetRequest(key=key))
    assert list(client.MDelete(MDeleteRequest(keys=[key, b"absent", key])).deleted) == [
        True,
        False,
        False,
    ]


def test_mget_of_a_reply_at_the_limit_and_over_it(client, key):
    half_mib = b"h" * (512 * 1024)
    keys = keys_under(key, 7)
    for k in keys:
        client.Set(SetRequest(key=k, value=half_mib))
    assert all(
        result.value == half_mib for result in client.MGet(MGetRequest(keys=keys[:6])).results
    )
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    assert_refused("REPLY_TOO_LARGE", client.MGet, MGetRequest(keys=keys + keys), code=exhausted)
    assert_refused(
        "REPLY_TOO_LARGE", client.MGet, MGetRequest(keys=keys[:1] * 1024), code=exhausted
    )
    client.MDelete(MDeleteRequest(keys=keys))


def test_batches_of_many_clients_keep_their_order(client, key):
    keys = keys_under(key, 100)
    client.MSet(MSetRequest(entries=[SetRequest(key=k, value=k) for k in keys]))

    def read(offset):
        asked = keys[offset:] + keys[:offset]
        return [result.value for result in client.MGet(MGetRequest(keys=asked)).results] == asked

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(100)))


def test_concurrent_batches_are_atomic_per_key(client, key):
    """Batches over the same keys in opposite orders neither lose an update nor deadlock.
    """
    keys = keys_under(key, 50)

    def write(number):
        ordered = keys if number % 2 == 0 else keys[::-1]
        value = b"%d" % number * 100
        client.MSet(MSetRequest(entries=[SetRequest(key=k, value=value) for k in ordered]))
        return [client.Incr(IncrRequest(key=key + b"count")).value, value]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        written = list(pool.map(write, range(64)))
    whole = {value for _, value in written}
    assert all(
        result.value in whole for result in client.MGet(MGetRequest(keys=keys)).results
    ), "a torn value"
    assert sorted(count for count, _ in written) == list(range(1, 65))
