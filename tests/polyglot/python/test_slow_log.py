"""AdminService.SlowLog. In most tests every call is logged, so that nothing depends on speed."""

import time

import grpc
import pytest
from cache_client import CALL_S, CacheClient, failure_from
from ferrite.v1.admin_pb2 import ResetSlowLogRequest, SlowLogRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    GetRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    ScanRequest,
    SetRequest,
)
from server_process import ServerProcess

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def logging():
    with ServerProcess("--slowlog-threshold=0", "--slowlog-entries=5") as server:
        yield server


@pytest.fixture
def client(logging):
    with CacheClient(logging.grpc_address) as connected:
        connected.ResetSlowLog(ResetSlowLogRequest())
        connected.baseline = newest(connected).id  # the ResetSlowLog itself
        yield connected


def newest(client):
    return client.SlowLog(SlowLogRequest(limit=1)).calls[0]


def since_start(client):
    return client.SlowLog(SlowLogRequest(after_id=client.baseline)).calls


def test_a_call_on_one_key_is_logged_in_full(client):
    before = time.time()
    client.Set(SetRequest(key=b"k" * 100, value=b"v" * 500))
    entry = newest(client)
    assert (entry.method, entry.key, entry.keys, entry.code) == ("Set", b"k" * 64, 1, 0)
    assert 600 < entry.request_bytes < 620
    assert 0 < entry.response_bytes < 100
    assert before - 1 <= entry.unix_ms / 1000 <= time.time() + 1
    assert entry.peer.startswith("ipv4:127.0.0.1:")
    assert entry.queue_us >= 0 and entry.execute_us >= 0
    assert (entry.trace_id, entry.span_id) == ("", "")


def test_batches_and_scans_are_logged_with_their_number_of_keys(client):
    client.MSet(MSetRequest(entries=[SetRequest(key=b"scan/%d" % n, value=b"v") for n in range(7)]))
    entry = newest(client)
    assert (entry.method, entry.key, entry.keys) == ("MSet", b"", 7)
    client.MGet(MGetRequest(keys=[b"a", b"b", b"c"]))
    assert (newest(client).method, newest(client).keys) == ("MGet", 3)
    assert len(list(client.Scan(ScanRequest(prefix=b"scan/")))) > 0
    entry = newest(client)
    assert (entry.method, entry.key, entry.keys) == ("Scan", b"scan/", 7)
    assert entry.response_bytes > 7 * len("scan/0")


def test_each_frame_of_a_pipeline_is_a_call(client):
    def frame(count):
        operations = [Operation(get=GetRequest(key=b"%d" % number)) for number in range(count)]
        return PipelineRequest(operations=operations)

    metadata = [("traceparent", f"00-{TRACE}-{SPAN}-01")]
    replies = client.cache.Pipeline(iter([frame(3), frame(2)]), CALL_S, metadata=metadata)
    assert [len(reply.results) for reply in replies] == [3, 2]
    calls = since_start(client)
    assert [(call.method, call.keys, call.key) for call in calls] == [
        ("Pipeline", 2, b""),
        ("Pipeline", 3, b""),
    ]
    assert calls[0].request_bytes == frame(2).ByteSize()
    assert calls[0].response_bytes > 0 and calls[0].trace_id == TRACE


def test_a_frame_names_the_traces_of_its_operations(client):
    traces = [TRACE, "a" * 32, TRACE, "b" * 32]
    operations = [Operation(get=GetRequest(key=b"k"))]
    for trace in traces:
        operations.append(
            Operation(get=GetRequest(key=b"k"), traceparent=f"00-{trace}-{SPAN}-01")
        )
    operations.append(Operation(get=GetRequest(key=b"k"), traceparent="00-none"))
    metadata = [("traceparent", f"00-{'c' * 32}-{SPAN}-01")]
    frame = PipelineRequest(operations=operations)
    (reply,) = client.cache.Pipeline(iter([frame]), CALL_S, metadata=metadata)
    assert len(reply.results) == len(operations)
    entry = newest(client)
    assert (entry.trace_id, entry.span_id) == (TRACE, SPAN)
    named = [(trace.trace_id, trace.span_id) for trace in entry.operation_traces]
    assert named == [(TRACE, SPAN), ("a" * 32, SPAN), ("b" * 32, SPAN)]


def test_a_refused_frame_is_logged_with_its_status(client):
    replies = client.cache.Pipeline(iter([PipelineRequest()]), CALL_S)
    assert failure_from(list, replies).code == grpc.StatusCode.INVALID_ARGUMENT
    entry = newest(client)
    assert (entry.method, entry.code, entry.keys) == (
        "Pipeline",
        grpc.StatusCode.INVALID_ARGUMENT.value[0],
        0,
    )


def test_the_newest_come_first_and_the_oldest_are_dropped(client):
    for number in range(8):
        client.Get(GetRequest(key=b"%d" % number))
    reply = client.SlowLog(SlowLogRequest())
    assert [call.key for call in reply.calls] == [b"7", b"6", b"5", b"4", b"3"]
    assert reply.HasField("threshold_us") and reply.threshold_us == 0
    assert reply.newest_id == reply.calls[0].id
    ids = [call.id for call in reply.calls]
    assert ids == list(range(ids[0], ids[0] - 5, -1))
    assert [call.key for call in client.SlowLog(SlowLogRequest(limit=2)).calls] == [b"7", b"6"]
    later = client.SlowLog(SlowLogRequest(after_id=ids[1])).calls
    assert [call.key for call in later] == [b"7"]
    assert client.Stats(StatsRequest()).slow_calls >= ids[0]


def test_reading_the_log_does_not_add_to_it(client):
    client.Get(GetRequest(key=b"k"))
    for _ in range(3):
        assert [call.method for call in since_start(client)] == ["Get"]


def test_a_reset_clears_the_log(client):
    for _ in range(3):
        client.Get(GetRequest(key=b"k"))
    assert client.ResetSlowLog(ResetSlowLogRequest()).forgotten == 4, "including the previous reset"
    assert [call.method for call in client.SlowLog(SlowLogRequest()).calls] == ["ResetSlowLog"]


def test_a_failed_call_is_logged_with_its_status(client):
    assert failure_from(client.Get, GetRequest(key=b"")).code == grpc.StatusCode.INVALID_ARGUMENT
    entry = newest(client)
    assert (entry.method, entry.code, entry.response_bytes) == (
        "Get",
        grpc.StatusCode.INVALID_ARGUMENT.value[0],
        0,
    )


@pytest.mark.parametrize(
    "headers, known",
    [
        ([f"00-{TRACE}-{SPAN}-01"], True),
        ([f"42-{TRACE}-{SPAN}-01-later"], True),
        ([f"00-{TRACE}-{SPAN}-01-more"], False),
        ([f"00-{TRACE.upper()}-{SPAN}-01"], False),
        ([f"00-{'0' * 32}-{SPAN}-01"], False),
        ([""], False),
        ([f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"], False),
    ],
)
def test_a_trace_is_logged_if_it_is_valid(client, headers, known):
    metadata = [("traceparent", header) for header in headers]
    client.cache.Get(GetRequest(key=b"k"), CALL_S, metadata=metadata)
    entry = newest(client)
    expected = (TRACE, SPAN) if known else ("", "")
    assert (entry.trace_id, entry.span_id) == expected


def test_a_disabled_log_stays_empty():
    with ServerProcess("--slowlog-threshold=off") as server:
        with CacheClient(server.grpc_address) as client:
            client.Get(GetRequest(key=b"k"))
            reply = client.SlowLog(SlowLogRequest())
            assert not reply.HasField("threshold_us") and not reply.calls


def test_a_call_that_waits_for_its_thread_is_logged_with_its_wait():
    """With one thread, calls that arrive together wait for each other: the last for all others."""
    with ServerProcess("--slowlog-threshold=0", "--threads=1", "--slowlog-entries=1000") as server:
        with CacheClient(server.grpc_address) as client:
            client.Get(GetRequest(key=b"connect"))
            server.freeze()
            request = MGetRequest(keys=[b"%d" % number for number in range(100)])
            calls = [client.cache.MGet.future(request) for _ in range(100)]
            server.thaw()
            for call in calls:
                call.result(CALL_S)
            waits = [
                call.queue_us
                for call in client.SlowLog(SlowLogRequest()).calls
                if call.method == "MGet"
            ]
            assert len(waits) == 100 and max(waits) > 0
