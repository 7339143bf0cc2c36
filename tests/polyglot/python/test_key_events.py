"""Key events: each change is reported once, with the version that the reply had."""

import grpc
import pytest
from cache_client import CacheClient
from eventually import eventually
from ferrite.v1.admin_pb2 import FlushRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    KEY_EVENT_KIND_DELETE as DELETE,
    KEY_EVENT_KIND_EVICT as EVICT,
    KEY_EVENT_KIND_EXPIRE as EXPIRE,
    KEY_EVENT_KIND_INCR as INCR,
    KEY_EVENT_KIND_SET as SET,
    SET_CONDITION_ABSENT,
    SET_CONDITION_PRESENT,
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    SetRequest,
    TouchRequest,
)
from server_process import ServerProcess
from subscriber import Subscriber


def set_key(client, key, value=b"", **terms):
    return client.Set(SetRequest(key=key, value=value, **terms)).version


def wait_until_gone(client, key):
    eventually(lambda: client.Get(GetRequest(key=key)).found, lambda found: not found, "expired")


def test_writes_and_deletions_are_reported_in_order_with_the_versions_of_the_replies(client, key):
    with Subscriber(client, keys=[key]) as subscriber:
        happened = []
        for turn in range(20):
            happened.append((key, SET, set_key(client, key, b"%d" % turn)))
            happened.append((key, INCR, client.Incr(IncrRequest(key=key)).version))
            happened.append((key, DELETE, client.Delete(DeleteRequest(key=key)).version))
            happened.append((key, INCR, client.Incr(IncrRequest(key=key)).version))
        seen = subscriber.take_key_events(len(happened))
    assert seen == happened
    # A deletion has the version of the deleted entry, which is that of the write before.
    versions = [version for _, kind, version in seen if kind != DELETE]
    assert versions == sorted(set(versions)), "versions ascend"


def test_a_key_is_followed_by_name_or_by_prefix(client, key):
    exact, under, prefix = key + b"\0exact", key + b"/under\xff", key + b"/"
    with Subscriber(client, keys=[exact], key_prefixes=[prefix]) as subscriber:
        happened = []
        for name in (exact, under, exact + b"er", key, prefix, key + b"0", exact):
            version = set_key(client, name)
            if name in (exact, under, prefix):
                happened.append((name, SET, version))
        assert subscriber.take_key_events(len(happened)) == happened


def test_a_key_that_is_followed_in_many_ways_is_reported_once(client, key):
    prefixes = [b"", key, key[:1], key[:1], key[:-1], key + b"longer"]
    with Subscriber(client, keys=[key, key], key_prefixes=prefixes) as subscriber:
        happened = [(key, SET, set_key(client, key)) for _ in range(3)]
        assert subscriber.take_key_events(3) == happened


def test_an_empty_prefix_matches_every_key(client, key):
    with Subscriber(client, key_prefixes=[b""]) as subscriber:
        happened = [(name, SET, set_key(client, name)) for name in (key, b"\0", b"\xff" * 4096)]
        assert subscriber.take_key_events(3) == happened


def test_only_the_requested_kinds_are_reported(client, key):
    deletions = {"keys": [key], "key_event_kinds": [DELETE]}
    writes = {"key_prefixes": [key], "key_event_kinds": [SET, INCR, SET]}
    with Subscriber(client, **deletions) as gone, Subscriber(client, **writes) as written:
        first = set_key(client, key, b"1")
        second = client.Incr(IncrRequest(key=key)).version
        client.Delete(DeleteRequest(key=key))
        third = set_key(client, key, b"1")
        client.Delete(DeleteRequest(key=key))
        assert gone.take_key_events(2) == [(key, DELETE, second), (key, DELETE, third)]
        assert written.take_key_events(3) == [
            (key, SET, first),
            (key, INCR, second),
            (key, SET, third),
        ]


def test_values_arrive_only_if_requested(client, key):
    values = [b"text", b"", b"\0\xff" * 10_000, b"v" * (1 << 20)]
    with Subscriber(client, keys=[key], with_values=True) as full, Subscriber(
        client, keys=[key]
    ) as slim, Subscriber(client, key_prefixes=[key], with_values=True) as by_prefix:
        for value in values:
            set_key(client, key, value)
        set_key(client, key, b"41")
        client.Incr(IncrRequest(key=key))
        client.Delete(DeleteRequest(key=key))
        for subscriber in (full, by_prefix):
            events = [event.key_event for event in subscriber.take(len(values) + 3)]
            assert all(event.HasField("value") for event in events[:-1])
            assert [event.value for event in events[:-1]] == [*values, b"41", b"42"]
            assert events[-1].kind == DELETE and not events[-1].HasField("value")
        assert not any(e.key_event.HasField("value") for e in slim.take(len(values) + 3))


def test_an_expiry_is_reported_once_even_if_nobody_reads_the_key(client, key):
    with Subscriber(client, keys=[key]) as subscriber:
        version = set_key(client, key, b"v", ttl_ms=1)
        assert subscriber.take_key_events(2) == [(key, SET, version), (key, EXPIRE, version)]
        version = set_key(client, key, b"v")
        client.Touch(TouchRequest(key=key, ttl_ms=1))
        assert subscriber.take_key_events(2) == [(key, SET, version), (key, EXPIRE, version)]
        version = client.Incr(IncrRequest(key=key, ttl_ms=1)).version
        assert subscriber.take_key_events(2) == [(key, INCR, version), (key, EXPIRE, version)]


def test_a_write_to_an_expired_key_does_not_hide_the_expiry(client, key):
    keys = [key + b"/%d" % number for number in range(200)]
    with Subscriber(client, key_prefixes=[key]) as subscriber:
        expected = {name: [] for name in keys}
        for turn, name in enumerate(keys):
            old = set_key(client, name, b"1", ttl_ms=1)
            expected[name] = [(SET, old), (EXPIRE, old)]
            wait_until_gone(client, name)
            if turn % 3 == 0:
                expected[name].append((SET, set_key(client, name, b"2")))
            elif turn % 3 == 1:
                expected[name].append((INCR, client.Incr(IncrRequest(key=name)).version))
            else:
                assert not client.Delete(DeleteRequest(key=name)).deleted
        seen = {name: [] for name in keys}
        for name, kind, version in subscriber.take_key_events(sum(map(len, expected.values()))):
            seen[name].append((kind, version))
    assert seen == expected


def test_calls_that_change_nothing_are_not_reported(client, key):
    there, absent = key + b"/there", key + b"/absent"
    stands = set_key(client, there, b"text")
    with Subscriber(client, key_prefixes=[key]) as subscriber:
        client.Get(GetRequest(key=there, touch_ttl_ms=3_600_000))
        client.Exists(ExistsRequest(keys=[there]))
        client.Touch(TouchRequest(key=there, persist=True))
        for refused in (
            SetRequest(key=there, condition=SET_CONDITION_ABSENT),
            SetRequest(key=absent, condition=SET_CONDITION_PRESENT),
            SetRequest(key=there, if_version=stands + 1),
        ):
            assert not client.Set(refused).stored
        assert not client.Delete(DeleteRequest(key=absent)).deleted
        assert not client.Delete(DeleteRequest(key=there, if_version=stands + 1)).deleted
        for failing in (IncrRequest(key=there), IncrRequest(key=absent, max=0)):
            with pytest.raises(grpc.RpcError):
                client.Incr(failing)
        once = SetRequest(key=there, value=b"new", request_id=key)
        version = client.Set(once).version
        assert client.Set(once).version == version, "the repeated call writes nothing"
        end = set_key(client, key + b"/end")
        assert subscriber.take_key_events(2) == [(there, SET, version), (key + b"/end", SET, end)]


def test_batches_and_frames_are_reported_entry_by_entry(client, key):
    keys = [key + b"/%d" % number for number in range(1024)]
    with Subscriber(client, key_prefixes=[key + b"/"]) as subscriber:
        entries = [SetRequest(key=k) for k in [*keys[:-1], keys[0]]]
        results = client.MSet(MSetRequest(entries=entries)).results
        written = [(e.key, SET, r.response.version) for e, r in zip(entries, results)]
        assert subscriber.take_key_events(1024) == written
        frame = [Operation(incr=IncrRequest(key=k + b"n")) for k in keys[:512]]
        frame += [Operation(delete=DeleteRequest(key=k + b"n")) for k in keys[:512]]
        (reply,) = client.Pipeline(iter([PipelineRequest(operations=frame)]))
        versions = [result.incr.version for result in reply.results[:512]]
        done = [(k + b"n", INCR, version) for k, version in zip(keys, versions)]
        done += [(k + b"n", DELETE, version) for k, version in zip(keys, versions)]
        assert subscriber.take_key_events(1024) == done
        last_version = {k: version for k, _, version in written}
        client.MDelete(MDeleteRequest(keys=[*keys[:-1], keys[0]]))
        gone = [(k, DELETE, last_version[k]) for k in keys[:-1]]
        assert subscriber.take_key_events(1023) == gone


def test_a_flush_reports_the_deletion_of_every_key():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        with Subscriber(client, key_prefixes=[b"k"], key_event_kinds=[DELETE]) as subscriber:
            entries = [SetRequest(key=b"k%d" % number) for number in range(1000)]
            results = client.MSet(MSetRequest(entries=entries)).results
            assert client.Flush(FlushRequest()).deleted == 1000
            seen = sorted(subscriber.take_key_events(1000))
        assert seen == sorted(
            (e.key, DELETE, r.response.version) for e, r in zip(entries, results)
        )


def test_evicted_keys_are_reported_once_and_are_gone():
    with ServerProcess("--max-memory=16MiB") as server, CacheClient(server.grpc_address) as client:
        with Subscriber(client, key_prefixes=[b"k"], key_event_kinds=[EVICT]) as subscriber:
            version_of = {}
            for batch in range(40):
                entries = [
                    SetRequest(key=b"k/%d/%d" % (batch, n), value=b"v" * 10_000) for n in range(100)
                ]
                results = client.MSet(MSetRequest(entries=entries)).results
                version_of.update((e.key, r.response.version) for e, r in zip(entries, results))
            evictions = client.Stats(StatsRequest()).evictions
            assert evictions > 1000
            seen = subscriber.take_key_events(evictions)
        assert set(seen) == {(key, EVICT, version_of[key]) for key, _, _ in seen}
        evicted = {key for key, _, _ in seen}
        assert len(evicted) == evictions, "each key was evicted once"
        for key in version_of:
            assert client.Get(GetRequest(key=key)).found == (key not in evicted)
