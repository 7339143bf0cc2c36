"""Get, Set, Delete, Touch and Exists on one key: bytes, misses, versions, times to live."""

import time

import pytest
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.cache_pb2 import DeleteRequest, ExistsRequest, GetRequest, GetResponse, SetRequest
from ferrite.v1.cache_pb2 import TouchRequest, TouchResponse

EVERY_BYTE = bytes(range(256))
HOUR_MS = 3_600_000


def unix_ms():
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    "raw", [EVERY_BYTE, b"\0", b"a\0b", b"\xff\xfe", b"\r\n", "ключ".encode(), b"k" * 4096]
)
def test_keys_and_values_are_any_bytes(client, raw):
    stored = client.Set(SetRequest(key=raw, value=raw))
    assert stored.stored and stored.version > 0
    read = client.Get(GetRequest(key=raw))
    assert read == GetResponse(found=True, value=raw, version=stored.version)
    assert client.Delete(DeleteRequest(key=raw)).deleted


def test_keys_that_differ_after_a_nul_are_different(client):
    client.Set(SetRequest(key=b"nul\0one", value=b"1"))
    client.Set(SetRequest(key=b"nul\0two", value=b"2"))
    client.Set(SetRequest(key=b"nul", value=b"0"))
    assert [client.Get(GetRequest(key=k)).value for k in (b"nul\0one", b"nul\0two", b"nul")] == [
        b"1",
        b"2",
        b"0",
    ]


def test_an_empty_value_is_not_a_miss(client, key):
    stored = client.Set(SetRequest(key=key))
    assert client.Get(GetRequest(key=key)) == GetResponse(found=True, version=stored.version)


@pytest.mark.parametrize("size", [1, 7, 8, 63, 64, 65, 255, 256, 1000, 4095, 4096, 65536, 1 << 20])
def test_values_of_every_size_are_returned_intact(client, key, size):
    value = (EVERY_BYTE * (size // 256 + 1))[:size]
    client.Set(SetRequest(key=key, value=value))
    assert client.Get(GetRequest(key=key)).value == value


def test_a_value_may_grow_and_shrink(client, key):
    for size in (10, 100_000, 3, 0, 5000, 64, 70_000, 1):
        value = bytes([size % 251]) * size
        client.Set(SetRequest(key=key, value=value))
        assert client.Get(GetRequest(key=key)).value == value


def test_a_miss_is_not_an_error(client, key):
    assert client.Get(GetRequest(key=key)) == GetResponse()
    assert client.Get(GetRequest(key=key, touch_ttl_ms=1000, if_version_not=7)) == GetResponse()
    assert client.Touch(TouchRequest(key=key)) == TouchResponse()
    deleted = client.Delete(DeleteRequest(key=key))
    assert not deleted.deleted and deleted.version == 0
    assert list(client.Exists(ExistsRequest(keys=[key])).exists) == [False]


def test_exists_answers_in_order_and_for_duplicates(client, key):
    client.Set(SetRequest(key=key))
    assert list(client.Exists(ExistsRequest(keys=[key, b"absent", key])).exists) == [
        True,
        False,
        True,
    ]


def test_delete_returns_the_deleted_version(client, key):
    version = client.Set(SetRequest(key=key, value=b"v")).version
    deleted = client.Delete(DeleteRequest(key=key))
    assert deleted.deleted and deleted.version == version
    assert not client.Get(GetRequest(key=key)).found
    assert not client.Delete(DeleteRequest(key=key)).deleted


def test_delete_at_another_version_deletes_nothing(client, key):
    old = client.Set(SetRequest(key=key, value=b"old")).version
    new = client.Set(SetRequest(key=key, value=b"new")).version
    refused = client.Delete(DeleteRequest(key=key, if_version=old))
    assert not refused.deleted and refused.version == new
    assert client.Get(GetRequest(key=key)).value == b"new"
    assert client.Delete(DeleteRequest(key=key, if_version=new)).deleted


def test_versions_grow_across_overwrite_delete_and_expiry(client, key):
    versions = []
    for _ in range(3):
        versions.append(client.Set(SetRequest(key=key, value=b"a")).version)
        versions.append(client.Set(SetRequest(key=key, value=b"a")).version)
        client.Delete(DeleteRequest(key=key))
    versions.append(client.Set(SetRequest(key=key, value=b"a", ttl_ms=1)).version)
    eventually(lambda: client.Get(GetRequest(key=key)), lambda read: not read.found, "expires")
    versions.append(client.Set(SetRequest(key=key, value=b"a")).version)
    assert all(earlier < later for earlier, later in zip(versions, versions[1:])), versions


def test_get_omits_a_value_that_the_caller_already_has(client, key):
    version = client.Set(SetRequest(key=key, value=b"v", ttl_ms=HOUR_MS)).version
    same = client.Get(GetRequest(key=key, if_version_not=version))
    assert same.found and same.not_modified and same.value == b"" and same.version == version
    assert 0 < same.ttl_ms <= HOUR_MS
    other = client.Get(GetRequest(key=key, if_version_not=version - 1))
    assert other.found and not other.not_modified and other.value == b"v"
    assert client.Get(GetRequest(key=key, if_version_not=0)).value == b"v"


def test_the_ttl_is_reported_only_if_there_is_one(client, key):
    client.Set(SetRequest(key=key, ttl_ms=HOUR_MS))
    read = client.Get(GetRequest(key=key))
    assert read.HasField("ttl_ms") and HOUR_MS - 60_000 < read.ttl_ms <= HOUR_MS
    client.Set(SetRequest(key=key))
    assert not client.Get(GetRequest(key=key)).HasField(
        "ttl_ms"
    ), "a plain Set removes the TTL"


def test_an_absolute_expiry_becomes_the_ttl(client, key):
    client.Set(SetRequest(key=key, expire_at_unix_ms=unix_ms() + HOUR_MS))
    assert HOUR_MS - 60_000 < client.Get(GetRequest(key=key)).ttl_ms <= HOUR_MS + 1000


def test_keep_ttl_keeps_the_old_ttl(client, key):
    client.Set(SetRequest(key=key, value=b"1", ttl_ms=HOUR_MS))
    client.Set(SetRequest(key=key, value=b"2", keep_ttl=True))
    read = client.Get(GetRequest(key=key))
    assert read.value == b"2" and HOUR_MS - 60_000 < read.ttl_ms <= HOUR_MS
    client.Set(SetRequest(key=key, value=b"3", keep_ttl=False))
    assert not client.Get(GetRequest(key=key)).HasField("ttl_ms"), "keep_ttl=false does not keep it"


def test_keep_ttl_on_a_new_key_does_not_expire_it(client, key):
    client.Set(SetRequest(key=key, keep_ttl=True))
    assert not client.Get(GetRequest(key=key)).HasField("ttl_ms")


def test_touch_reports_changes_and_removes_the_ttl(client, key):
    version = client.Set(SetRequest(key=key, value=b"v")).version
    assert client.Touch(TouchRequest(key=key)) == TouchResponse(found=True, version=version)

    touched = client.Touch(TouchRequest(key=key, ttl_ms=HOUR_MS))
    assert touched.found and touched.version == version, "Touch keeps the version"
    assert HOUR_MS - 60_000 < touched.ttl_ms <= HOUR_MS
    assert (
        HOUR_MS - 60_000 < client.Touch(TouchRequest(key=key)).ttl_ms <= HOUR_MS
    ), "a Touch that only reports changes nothing"

    touched = client.Touch(TouchRequest(key=key, expire_at_unix_ms=unix_ms() + 2 * HOUR_MS))
    assert 2 * HOUR_MS - 60_000 < touched.ttl_ms <= 2 * HOUR_MS + 1000

    assert client.Touch(TouchRequest(key=key, persist=True)) == TouchResponse(
        found=True, version=version
    )
    assert client.Get(GetRequest(key=key)) == GetResponse(found=True, value=b"v", version=version)


def test_get_can_renew_the_ttl(client, key):
    version = client.Set(SetRequest(key=key, value=b"v")).version
    read = client.Get(GetRequest(key=key, touch_ttl_ms=HOUR_MS))
    assert read.value == b"v" and read.version == version
    assert HOUR_MS - 60_000 < client.Touch(TouchRequest(key=key)).ttl_ms <= HOUR_MS


def test_the_longest_ttl_is_100_years(client, key):
    century_ms = 100 * 365 * 24 * HOUR_MS
    client.Set(SetRequest(key=key, ttl_ms=century_ms))
    assert century_ms - 60_000 < client.Get(GetRequest(key=key)).ttl_ms <= century_ms


def test_an_expired_key_is_absent_for_every_call(client, key):
    client.Set(SetRequest(key=key, value=b"5", ttl_ms=1))
    eventually(
        lambda: client.Touch(TouchRequest(key=key)), lambda touched: not touched.found, "expires"
    )
    assert not client.Get(GetRequest(key=key)).found
    assert list(client.Exists(ExistsRequest(keys=[key])).exists) == [False]
    assert not client.Delete(DeleteRequest(key=key)).deleted
    again = client.Set(SetRequest(key=key, value=b"6", return_previous=True))
    assert again.stored and not again.HasField("previous")


def test_two_connections_see_one_cache(server, client, key):
    client.Set(SetRequest(key=key, value=b"v"))
    with CacheClient(server.grpc_address) as other:
        assert other.Get(GetRequest(key=key)).value == b"v"
