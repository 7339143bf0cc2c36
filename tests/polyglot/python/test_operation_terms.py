"""What an operation of a frame has of its own: its time, and an error as full as that of a call."""

import queue

import grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient, failure_from
from eventually import eventually
from ferrite.v1 import cache_pb2
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    GetRequest,
    IncrRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    SetRequest,
    TouchRequest,
)
from server_process import ServerProcess

HOUR_MS = 3_600_000
DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
RESOURCE_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


def results_of(client, operations):
    (reply,) = client.Pipeline(iter([PipelineRequest(operations=operations)]))
    return reply.results


def one_of_each(key, there, **terms):
    """An operation of each kind; those that write make a key of their own."""
    return [
        Operation(set=SetRequest(key=key + b"/set", value=b"v"), **terms),
        Operation(set=SetRequest(key=key + b"/ttl", ttl_ms=HOUR_MS), **terms),
        Operation(set=SetRequest(key=key + b"/id", request_id=key[-64:]), **terms),
        Operation(incr=IncrRequest(key=key + b"/incr"), **terms),
        Operation(get=GetRequest(key=there), **terms),
        Operation(get=GetRequest(key=there, touch_ttl_ms=HOUR_MS), **terms),
        Operation(touch=TouchRequest(key=there, ttl_ms=HOUR_MS), **terms),
        Operation(delete=DeleteRequest(key=there), **terms),
    ]


@pytest.mark.parametrize("timeout_ms", [0, -1, -(1 << 63)])
def test_an_operation_that_is_too_late_is_not_executed(client, key, timeout_ms):
    client.Set(SetRequest(key=key, value=b"stays"))
    results = results_of(client, one_of_each(key, key, timeout_ms=timeout_ms))
    assert {(r.error.code, r.error.reason) for r in results} == {
        (DEADLINE_EXCEEDED, cache_pb2.DEADLINE_PASSED)
    }
    assert all(result.error.message for result in results)
    for name in (b"/set", b"/ttl", b"/id", b"/incr"):
        assert not client.Get(GetRequest(key=key + name)).found
    read = client.Get(GetRequest(key=key))
    assert read.value == b"stays" and not read.HasField("ttl_ms")


@pytest.mark.parametrize("timeout_ms", [HOUR_MS, (1 << 32) - 1, 1 << 32, (1 << 63) - 1])
def test_an_operation_that_is_in_time_is_executed(client, key, timeout_ms):
    client.Set(SetRequest(key=key, value=b"v"))
    results = results_of(client, one_of_each(key, key, timeout_ms=timeout_ms))
    assert not any(result.HasField("error") for result in results), results
    assert results[-1].delete.deleted


def test_each_operation_of_a_frame_has_its_own_time(client, key):
    operations = [Operation(incr=IncrRequest(key=key)) for _ in range(200)]
    for number, operation in enumerate(operations):
        if number % 3 == 0:
            operation.timeout_ms = 0 if number % 2 == 0 else HOUR_MS
    results = results_of(client, operations)
    late = [result.error.reason == cache_pb2.DEADLINE_PASSED for result in results]
    assert late == [number % 6 == 0 for number in range(200)]
    assert int(client.Get(GetRequest(key=key)).value) == late.count(False)


def test_the_wait_for_a_client_that_does_not_read_counts(key):
    """The server reads a frame, but executes it only when the replies before it are out: here its
    operations are too late by then.
    """
    with (
        ServerProcess() as server,
        CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client,
        CacheClient(server.grpc_address) as observer,
    ):
        observer.Set(SetRequest(key=key, value=b"v" * (1 << 20)))
        frames = queue.Queue()
        stream = client.Pipeline(iter(frames.get, None))
        reads = PipelineRequest(operations=[Operation(get=GetRequest(key=key))] * 3)
        incr = Operation(incr=IncrRequest(key=key + b"/n"), timeout_ms=1)
        # Far more than the sockets and the client's windows hold.
        count = 40
        for _ in range(count):
            frames.put(reads)
            frames.put(PipelineRequest(operations=[incr]))
        seen = [None]

        def as_before(received):
            before, seen[0] = seen[0], received
            return before == received

        eventually(
            lambda: bytes_of_frames(observer),
            as_before,
            "the server goes on though nobody reads its replies",
        )
        frames.put(None)
        results = [reply.results[0] for reply in stream if len(reply.results) == 1]
        assert len(results) == count
        reasons = {result.error.reason for result in results if result.HasField("error")}
        assert reasons == {cache_pb2.DEADLINE_PASSED}
        executed = [result.incr.value for result in results if result.HasField("incr")]
        counted = observer.Get(GetRequest(key=key + b"/n"))
        assert int(counted.value or b"0") == len(executed), "what was too late was executed"


def bytes_of_frames(client):
    methods = client.Stats(StatsRequest()).methods
    return next(method for method in methods if method.method == "Pipeline").bytes_received


def test_an_error_has_the_facts_that_a_call_would_have(client, key):
    requests = {
        "get": GetRequest(key=b"k" * 4097),
        "set": SetRequest(key=key, value=b"v" * ((1 << 20) + 1)),
        "incr": IncrRequest(key=key, max=-1),
        "touch": TouchRequest(key=key, ttl_ms=-1),
    }
    results = results_of(client, [Operation(**{kind: r}) for kind, r in requests.items()])
    for (kind, request), result in zip(requests.items(), results):
        failure = failure_from(getattr(client, kind.capitalize()), request)
        assert result.error.code == failure.code.value[0]
        assert result.error.message == failure.message
        assert cache_pb2.ErrorReason.Name(result.error.reason) == failure.reason
        assert dict(result.error.metadata) == failure.metadata != {}
        assert not result.error.HasField("retry_pushback_ms")


def test_a_full_store_says_when_to_come_again():
    with ServerProcess("--max-memory=64MiB", "--eviction=noeviction") as server:
        with CacheClient(server.grpc_address) as client:
            put = SetRequest(value=b"v" * 1_000_000)
            number, error = 0, None
            while error is None:
                operations = []
                for _ in range(3):
                    put.key = b"%d" % number
                    operations.append(Operation(set=put))
                    number += 1
                failed = [r.error for r in results_of(client, operations) if r.HasField("error")]
                error = failed[-1] if failed else None
            batch = client.MSet(MSetRequest(entries=[put, put])).results
            put.request_id = b"id"
            identified = client.MSet(MSetRequest(entries=[put])).results
            for full in [error, *(result.error for result in [*batch, *identified])]:
                assert (full.code, full.reason) == (RESOURCE_EXHAUSTED, cache_pb2.MEMORY_FULL)
                assert full.retry_pushback_ms > 0
