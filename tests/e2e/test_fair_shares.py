"""One client that does not read its replies, within the rules: all others are served meanwhile, and
it is ended in the end.
"""

import grpc
import pytest
from cache_client import UNLIMITED_MESSAGES, CacheClient
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import (
    GetRequest,
    MGetRequest,
    Operation,
    PipelineRequest,
    SetRequest,
)
from http2_connection import Http2Connection
from server_process import ServerProcess

MIB = 1 << 20
SERVICE = "/ferrite.v1.CacheService/"
MGET = SERVICE + "MGet"
LARGE = [b"large/%d" % number for number in range(3)]
# Its receive window does not grow.
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535)]
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def shed(server, reason):
    return scrape(server).total("ferrite_shed_total", reason=reason)


def handled(server, method):
    return scrape(server).total("grpc_server_handled_total", grpc_method=method)


def fill(client):
    for key in LARGE:
        client.Set(SetRequest(key=key, value=b"v" * MIB))


def ask(connection, calls, keys=tuple(LARGE)):
    request = MGetRequest(keys=keys).SerializeToString()
    for _ in range(calls):
        connection.start_call(MGET, request)


@pytest.mark.parametrize(
    "flags",
    [["--max-inflight-bytes=64MiB"], ["--max-memory=64MiB", "--max-inflight-bytes=16MiB"]],
)
def test_a_connection_that_does_not_read_takes_nobody_elses_part(flags):
    with ServerProcess(*flags) as server:
        with CacheClient(server.grpc_address) as client, Http2Connection(server.grpc_address) as hog:
            fill(client)
            ask(hog, 400)
            eventually(lambda: handled(server, "MGet"), lambda n: n == 400, "all were taken up")
            for number in range(200):
                assert client.Get(GetRequest(key=b"%d" % number)).found is False
            for key in LARGE:
                assert len(client.Get(GetRequest(key=key)).value) == MIB
            metrics = scrape(server)
            for reason in ("bytes", "operations", "backlog"):
                assert metrics.total("ferrite_shed_total", reason=reason) == 0


def test_a_value_counts_once_however_many_replies_refer_to_it():
    with ServerProcess("--max-inflight-bytes=64MiB") as server:
        with CacheClient(server.grpc_address) as client, Http2Connection(server.grpc_address) as hog:
            fill(client)
            ask(hog, 400)
            eventually(lambda: handled(server, "MGet"), lambda n: n == 400, "all were taken up")
            metrics = scrape(server)
            assert metrics.total("ferrite_shed_total") == 0
            held = metrics.total("ferrite_inflight_bytes")
            assert 3 * MIB < held < 12 * MIB, held
            for key in LARGE:  # what was replaced is still kept for them
                client.Set(SetRequest(key=key, value=b"w" * MIB))
            ask(hog, 1)
            eventually(lambda: handled(server, "MGet"), lambda n: n == 401, "one more")
            assert scrape(server).total("ferrite_inflight_bytes") > held + 3 * MIB
            hog.close()
            held = lambda: scrape(server).total("ferrite_inflight_bytes")
            eventually(held, lambda count: count == 0, "nothing is held any more")


def test_the_refusal_names_share_and_flag_and_says_when_to_come_again():
    with ServerProcess("--max-inflight-operations=8", "--connection-share=25%") as server:
        with CacheClient(server.grpc_address) as client:
            fill(client)
            with Http2Connection(server.grpc_address) as hog:
                ask(hog, 3)
                status = hog.call(SERVICE + "Get", GetRequest(key=b"k").SerializeToString())
                assert status == EXHAUSTED.value[0]
                assert shed(server, "connection_share") >= 1
                assert not client.Get(GetRequest(key=b"k")).found


def test_replies_that_nobody_takes_end_and_give_back_what_they_hold():
    with ServerProcess("--stalled-reply-timeout=1s") as server:
        with CacheClient(server.grpc_address) as client, Http2Connection(server.grpc_address) as hog:
            fill(client)
            ask(hog, 5)
            stalled = lambda: scrape(server).total("ferrite_stalled_replies_total")
            eventually(stalled, lambda count: count == 5, "all five were ended")
            held = lambda: scrape(server).total("ferrite_inflight_bytes")
            eventually(held, lambda count: count == 0, "nothing is held any more")
            assert len(client.Get(GetRequest(key=LARGE[0])).value) == MIB


def test_frames_that_are_read_ahead_stay_within_the_budget():
    """64 streams of one connection, whose replies nobody reads, send as much as they may."""
    budget = 16 * MIB
    with ServerProcess(f"--max-inflight-bytes={budget}", "--max-value-bytes=2MiB") as server:
        with CacheClient(server.grpc_address, [*NARROW, *UNLIMITED_MESSAGES]) as hog:
            with CacheClient(server.grpc_address) as client:
                fill(client)
                resident = server.resident_bytes()
                get = PipelineRequest(operations=[Operation(get=GetRequest(key=LARGE[0]))])
                write = Operation(set=SetRequest(key=b"fat", value=b"v" * MIB))
                fat = PipelineRequest(operations=[write] * 3)
                calls = [hog.cache.Pipeline(iter([get, fat, fat])) for _ in range(64)]
                refused = lambda: shed(server, "connection_share")
                eventually(refused, lambda count: count > 0, "what exceeds the share is refused")
                for number in range(100):
                    client.Get(GetRequest(key=b"%d" % number))
                assert scrape(server).total("ferrite_inflight_bytes") < budget
                assert server.sanitized() or server.resident_bytes() - resident < 4 * budget
                for call in calls:
                    call.cancel()
