"""More work than the server may have in progress: it refuses calls, stays within its memory limit,
and recovers.
"""

import itertools
import os

import grpc
import pytest
from cache_client import CacheClient, assert_refused, failure_from
from eventually import eventually
from exposition import scrape
from ferrite.v1.admin_pb2 import InfoRequest, StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, IncrRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess

MIB = 1 << 20
GET = "/ferrite.v1.CacheService/Get"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def shed(server, reason):
    return scrape(server).total("ferrite_shed_total", reason=reason)


def ask_and_never_read(server, connections, calls_on_each, keys):
    """Starts calls that return these entries, in turn, and whose replies nobody reads."""
    opened = [Http2Connection(server.grpc_address) for _ in range(connections)]
    requests = itertools.cycle([GetRequest(key=key).SerializeToString() for key in keys])
    for connection in opened:
        for _ in range(calls_on_each):
            connection.start_call(GET, next(requests))
    return opened


def settled(server, calls):
    """Waits until each of the calls has been executed or refused."""
    handled = lambda: scrape(server).total("grpc_server_handled_total", grpc_method="Get")
    eventually(handled, lambda count: count >= calls, "every call was executed or refused")


def pushback_ms(call, request):
    with pytest.raises(grpc.RpcError) as error:
        call(request)
    assert error.value.code() == EXHAUSTED
    metadata = dict(error.value.trailing_metadata())
    return int(metadata["grpc-retry-pushback-ms"])


def test_replies_that_nobody_reads_stay_within_the_memory_limit():
    budget = 32 * MIB
    with ServerProcess(f"--max-inflight-bytes={budget}", "--max-memory=128MiB") as server:
        with CacheClient(server.grpc_address) as client:
            # A value counts once, so there are as many as exceed the budget.
            keys = [b"large/%d" % number for number in range(64)]
            for key in keys:
                client.Set(SetRequest(key=key, value=os.urandom(MIB)))
            resident_before = server.resident_bytes()
            stalled = ask_and_never_read(server, 100, 10, keys)
            settled(server, 1000)

            # Whoever holds as much as is free comes to its share before the budget is used up.
            refused = shed(server, "bytes") + shed(server, "connection_share")
            metrics = scrape(server)
            held = metrics.total("ferrite_inflight_operations")
            # The calls in progress are those that fit; all others were refused and have ended.
            assert held + refused == 1000, (held, refused)
            # The last eighth is not for large replies.
            assert 0.8 * budget <= metrics.total("ferrite_inflight_bytes"), held
            # One reply per thread may exceed the limit.
            limit = budget + os.cpu_count() * (MIB + (64 << 10))
            assert metrics.total("ferrite_inflight_bytes") <= limit
            assert server.resident_bytes() - resident_before < 4 * budget

            assert not client.Get(GetRequest(key=b"x")).found, "what is small is served"
            assert_refused("OVERLOADED", client.Get, GetRequest(key=keys[0]), code=EXHAUSTED)
            assert pushback_ms(client.Get, GetRequest(key=keys[0])) > 0
            assert client.Info(InfoRequest()).version, "an operator still gets an answer"

            for connection in stalled:
                connection.close()
            eventually(
                lambda: scrape(server),
                lambda m: m.total("ferrite_inflight_bytes") == 0
                and m.total("ferrite_inflight_operations") == 0,
                "the whole budget is free again",
            )
            assert client.Set(SetRequest(key=b"k", value=b"v")).stored
            assert len(client.Get(GetRequest(key=keys[0])).value) == MIB


def test_operations_are_refused_unexecuted_and_counted():
    with ServerProcess("--max-inflight-operations=5") as server:
        with CacheClient(server.grpc_address) as client:
            client.Set(SetRequest(key=b"large", value=os.urandom(MIB)))
            # A call may keep its place for a moment after its reply has arrived.
            eventually(
                lambda: scrape(server).total("ferrite_inflight_operations"),
                lambda held: held == 0,
                "the Set is over",
            )
            stalled = ask_and_never_read(server, 5, 1, [b"large"])
            settled(server, 5)
            for _ in range(20):
                failure = failure_from(client.Incr, IncrRequest(key=b"n"))
                assert (failure.code, failure.reason) == (EXHAUSTED, "OVERLOADED"), failure
            assert shed(server, "operations") == 20
            for connection in stalled:
                connection.close()
            eventually(
                lambda: client.Stats(StatsRequest()).inflight_requests, lambda n: n == 1, "idle"
            )
            eventually(
                lambda: scrape(server).total("ferrite_inflight_operations"),
                lambda n: n == 0,
                "the budget is free again",
            )
            assert client.Incr(IncrRequest(key=b"n")).value == 1, "refused calls were not executed"


def test_cancelled_calls_release_their_budget():
    with ServerProcess("--max-inflight-operations=4") as server:
        with CacheClient(server.grpc_address) as client:
            client.Set(SetRequest(key=b"large", value=os.urandom(MIB)))
            request = GetRequest(key=b"large").SerializeToString()
            for _ in range(25):
                connection = Http2Connection(server.grpc_address)
                streams = [connection.start_call(GET, request) for _ in range(4)]
                for stream in streams:
                    connection.cancel(stream)
                connection.reset()
            eventually(
                lambda: scrape(server).total("ferrite_inflight_operations"),
                lambda n: n == 0,
                "nothing stays in flight",
            )
            assert scrape(server).total("ferrite_inflight_bytes") == 0
            assert len(client.Get(GetRequest(key=b"large")).value) == MIB


def test_full_memory_says_when_to_retry():
    with ServerProcess("--max-memory=16MiB", "--eviction=noeviction") as server:
        with CacheClient(server.grpc_address) as client:
            with pytest.raises(grpc.RpcError):
                for number in range(100):
                    client.Set(SetRequest(key=b"%d" % number, value=os.urandom(MIB)))
            assert pushback_ms(client.Set, SetRequest(key=b"new", value=os.urandom(MIB))) >= 100
            assert shed(server, "memory") >= 2
            # An error that a retry cannot mend carries no retry delay.
            with pytest.raises(grpc.RpcError) as error:
                client.Set(SetRequest(key=b""))
            assert "grpc-retry-pushback-ms" not in dict(error.value.trailing_metadata())
