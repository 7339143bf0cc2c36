"""A call with a repeated request_id returns the first outcome and does nothing."""

import concurrent.futures
import time

import grpc
import pytest
from cache_client import CacheClient, assert_refused, failure_from
from eventually import eventually
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import DeleteRequest, GetRequest, IncrRequest, SetRequest
from server_process import ServerProcess


@pytest.mark.parametrize("request_id", [b"a", b"\0", bytes(range(64)), b"\xff" * 64])
def test_ids_are_1_to_64_bytes(client, key, request_id):
    request = IncrRequest(
        key=key, request_id=request_id + b"" if len(request_id) == 64 else key[-20:] + request_id
    )
    first = client.Incr(request)
    assert client.Incr(request) == first
    assert client.Get(GetRequest(key=key)).value == b"1"


def test_an_id_that_is_too_long_is_refused(client, key):
    assert_refused(
        "REQUEST_ID_TOO_LARGE", client.Incr, IncrRequest(key=key, request_id=b"i" * 65), limit=64
    )
    assert_refused(
        "REQUEST_ID_TOO_LARGE", client.Set, SetRequest(key=key, request_id=b"i" * 10_000), limit=64
    )
    assert not client.Get(GetRequest(key=key)).found


def test_an_empty_id_is_no_id(client, key):
    assert [client.Incr(IncrRequest(key=key, request_id=b"")).value for _ in range(3)] == [1, 2, 3]


def test_a_repeated_set_writes_nothing(client, key):
    client.Set(SetRequest(key=key, value=b"0", ttl_ms=3_600_000))
    request = SetRequest(key=key, value=b"1", return_previous=True, request_id=key)
    first = client.Set(request)
    assert first.stored and first.previous.value == b"0"
    client.Set(SetRequest(key=key, value=b"2"))
    assert client.Set(request) == first
    assert client.Get(GetRequest(key=key)).value == b"2"


def test_a_repeated_set_does_not_bring_a_deleted_key_back(client, key):
    request = SetRequest(key=key, value=b"1", request_id=key)
    first = client.Set(request)
    client.Delete(DeleteRequest(key=key))
    assert client.Set(request) == first
    assert not client.Get(GetRequest(key=key)).found


def test_a_repeated_set_that_did_not_store_still_does_not(client, key):
    request = SetRequest(key=key, value=b"1", if_version=1, request_id=key)
    assert not client.Set(request).stored
    client.Set(SetRequest(key=key, value=b"there"))
    repeated = client.Set(request)
    assert not repeated.stored and repeated.version == 0


def test_a_repeated_incr_adds_once(client, key):
    request = IncrRequest(key=key, delta=5, request_id=key)
    first = client.Incr(request)
    client.Incr(IncrRequest(key=key))
    assert client.Incr(request) == first
    assert client.Get(GetRequest(key=key)).value == b"6"


def test_a_repeated_incr_that_failed_fails_again(client, key):
    client.Set(SetRequest(key=key, value=b"10"))
    request = IncrRequest(key=key, max=10, request_id=key)
    first = failure_from(client.Incr, request)
    assert first.code == grpc.StatusCode.OUT_OF_RANGE
    client.Set(SetRequest(key=key, value=b"1"))
    again = failure_from(client.Incr, request)
    assert (again.code, again.reason) == (first.code, first.reason)
    assert client.Get(GetRequest(key=key)).value == b"1"


def test_a_repeated_set_returns_the_same_though_its_expiry_has_passed(client, key):
    """A client that retries does not change the time at which the entry should expire."""
    unix_ms = time.time_ns() // 1_000_000 + 1000
    request = SetRequest(key=key, value=b"1", expire_at_unix_ms=unix_ms, request_id=key[-64:])
    first = client.Set(request)
    eventually(lambda: client.Get(GetRequest(key=key)), lambda read: not read.found, "expires")
    assert client.Set(request) == first
    assert not client.Get(GetRequest(key=key)).found


def test_a_full_window_refuses_new_ids_and_keeps_its_promises(key):
    with ServerProcess("--request-window-bytes=20KiB") as server:
        with CacheClient(server.grpc_address) as client:
            answers = []
            with pytest.raises(grpc.RpcError):
                for number in range(10_000):
                    answers.append(client.Incr(IncrRequest(key=key, request_id=b"%d" % number)))
            new = IncrRequest(key=key, request_id=b"%d" % len(answers))
            exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
            assert_refused("REQUEST_WINDOW_FULL", client.Incr, new, limit=20 * 1024, code=exhausted)
            assert len(answers) > 10
            for number, answer in enumerate(answers):
                assert client.Incr(IncrRequest(key=key, request_id=b"%d" % number)) == answer
            assert client.Incr(IncrRequest(key=key)).value == len(answers) + 1


def test_large_previous_values_do_not_use_up_the_window(key):
    """Sixty-five of them, of 1 MiB each, kept every write with a new id out for a minute."""
    value = b"v" * (1 << 20)
    with ServerProcess("--request-window-bytes=1MiB") as server:
        with CacheClient(server.grpc_address) as client:
            client.Set(SetRequest(key=key, value=value))
            requests = [
                SetRequest(key=key, value=value, return_previous=True, request_id=b"%d" % number)
                for number in range(65)
            ]
            answers = [client.Set(request) for request in requests]
            assert all(answer.previous.value == value for answer in answers)
            again = failure_from(client.Set, requests[7])
            assert (again.code, again.reason) == (
                grpc.StatusCode.ALREADY_EXISTS,
                "REPLAY_TOO_LARGE",
            )
            assert again.metadata["stored"] == "true"
            assert again.metadata["version"] == str(answers[7].version)
            assert client.Get(GetRequest(key=key)).version == answers[-1].version
            client.Incr(IncrRequest(key=key + b"n", request_id=b"new"))


def test_the_repetition_of_a_large_refusal_says_that_nothing_was_stored(client, key):
    first = client.Set(SetRequest(key=key, value=b"v" * 10_000))
    request = SetRequest(
        key=key,
        value=b"w",
        condition=cache_pb2.SET_CONDITION_ABSENT,
        return_previous=True,
        request_id=key[-64:],
    )
    assert not client.Set(request).stored
    again = failure_from(client.Set, request)
    assert again.reason == "REPLAY_TOO_LARGE"
    assert again.metadata["stored"] == "false"
    assert again.metadata["version"] == str(first.version)


def test_an_id_identifies_only_one_request(client, key):
    first = SetRequest(key=key, value=b"1", request_id=key)
    client.Set(first)
    for other in (
        SetRequest(key=key, value=b"2", request_id=key),
        SetRequest(key=key + b"other", value=b"1", request_id=key),
        SetRequest(key=key, value=b"1", ttl_ms=1000, request_id=key),
        SetRequest(key=key, value=b"1", return_previous=True, request_id=key),
    ):
        assert_refused("REQUEST_ID_REUSED", client.Set, other)
    assert_refused("REQUEST_ID_REUSED", client.Incr, IncrRequest(key=key, request_id=key))
    assert client.Get(GetRequest(key=key)).value == b"1"
    assert not client.Get(GetRequest(key=key + b"other")).found


def test_concurrent_duplicates_execute_once(client, key):
    def add(number):
        return client.Incr(IncrRequest(key=key, request_id=key + b"/%d" % (number % 20)))

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(add, range(640)))
    assert client.Get(GetRequest(key=key)).value == b"20"
    for group in range(20):
        assert all(answer == answers[group] for answer in answers[group::20])
    assert sorted(answers[group].value for group in range(20)) == list(range(1, 21))


def test_concurrent_different_requests_with_one_id_execute_once(client, key):
    def write(number):
        try:
            return client.Set(
                SetRequest(key=key + b"%d" % number, value=b"1", request_id=key)
            ).stored
        except grpc.RpcError:
            return False

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        stored = list(pool.map(write, range(64)))
    present = [client.Get(GetRequest(key=key + b"%d" % number)).found for number in range(64)]
    assert stored == present and sum(present) == 1
