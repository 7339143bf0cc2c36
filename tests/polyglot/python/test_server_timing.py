"""The trailing metadata `server-timing`: sent if requested, in the syntax of W3C Server-Timing."""

import re

import grpc
import pytest
from cache_client import CALL_S
from ferrite.v1.cache_pb2 import (
    GetRequest,
    MGetRequest,
    Operation,
    PipelineRequest,
    ScanRequest,
    SetRequest,
)

ASK = [("ferrite-server-timing", "1")]
SYNTAX = re.compile(r"queue;dur=(\d+\.\d{3}), execute;dur=(\d+\.\d{3})")


def timing_of(call):
    """The durations in a finished call's trailers, or None if there are none."""
    values = [value for name, value in call.trailing_metadata() if name == "server-timing"]
    if not values:
        return None
    assert len(values) == 1, values
    match = SYNTAX.fullmatch(values[0])
    assert match, values
    return [float(part) for part in match.groups()]


def test_a_call_that_asks_gets_its_times(client, key):
    _, call = client.cache.Set.with_call(SetRequest(key=key, value=b"v"), CALL_S, metadata=ASK)
    queue, execute = timing_of(call)
    assert queue >= 0 and execute >= 0


def test_a_call_that_does_not_ask_gets_none(client, key):
    for metadata in (
        None,
        [("ferrite-server-timing", "0")],
        [("ferrite-server-timing", "true")],
        [("server-timing", "1")],
    ):
        _, call = client.cache.Get.with_call(GetRequest(key=key), CALL_S, metadata=metadata)
        assert timing_of(call) is None, metadata


def test_a_failed_call_gets_its_times_too(client):
    with pytest.raises(grpc.RpcError) as failure:
        client.Get(GetRequest(key=b""), metadata=ASK)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert timing_of(failure.value) is not None


def test_a_stream_gets_its_times_at_its_end(client, key):
    for number in range(1000):
        client.Set(SetRequest(key=key + b"%d" % number, value=b"v" * 1000))
    scan = client.Scan(ScanRequest(prefix=key, with_values=True), metadata=ASK)
    assert sum(len(response.entries) for response in scan) == 1000
    _, execute = timing_of(scan)
    assert execute > 0


def test_a_pipeline_gets_the_sum_over_its_frames(client, key):
    frame = PipelineRequest(operations=[Operation(get=GetRequest(key=key))] * 500)
    stream = client.cache.Pipeline(iter([frame] * 20), CALL_S, metadata=ASK)
    assert len(list(stream)) == 20
    _, execute = timing_of(stream)
    assert execute > 0


def test_the_handler_of_a_large_batch_takes_measurable_time(client, key):
    request = MGetRequest(keys=[key + b"%d" % number for number in range(1024)])
    _, call = client.cache.MGet.with_call(request, CALL_S, metadata=ASK)
    _, execute = timing_of(call)
    assert execute > 0
