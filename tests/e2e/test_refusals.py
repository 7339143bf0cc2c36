"""What the server turns away: each time it says why, names the limit and the flag, and counts it."""

import contextlib
import threading

import grpc
import pytest
from cache_client import CALL_S, UNLIMITED_MESSAGES, CacheClient, failure_from, failure_of
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import (
    GetRequest,
    IncrRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    ScanRequest,
    SetRequest,
    SubscribeRequest,
)
from http2_connection import Http2Connection
from server_process import ServerProcess
from subscriber import Subscriber

MIB = 1 << 20
GZIP = grpc.Compression.Gzip


@contextlib.contextmanager
def counted(server, shed=None, refused=None, times=1):
    """What the block does is counted by these reasons, and by no others."""
    before = scrape(server)
    yield
    after = scrape(server)
    changed = {
        (name, *labels): value - before[name, labels]
        for (name, labels), value in after.items()
        if name in ("ferrite_shed_total", "ferrite_refused_total")
        and value != before[name, labels]
    }
    expected = {}
    if shed is not None:
        expected["ferrite_shed_total", ("reason", shed)] = times
    if refused is not None:
        expected["ferrite_refused_total", ("reason", refused)] = times
    assert changed == expected


@pytest.fixture(scope="module")
def large(server):
    with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as connected:
        yield connected


def frames(*requests):
    return iter([PipelineRequest(operations=[request]) for request in requests])


def test_a_request_that_is_too_large(server, large, key):
    with counted(server, shed="message_size", refused="request_too_large"):
        failure = failure_from(large.Set, SetRequest(key=key, value=b"v" * (5 * MIB)))
    assert failure.code == grpc.StatusCode.INVALID_ARGUMENT, failure
    assert failure.reason == "REQUEST_TOO_LARGE"
    assert failure.metadata["flag"] == "--max-value-bytes"
    assert failure.limit in failure.message and failure.metadata["size"] in failure.message
    assert int(failure.limit) < 5 * MIB < int(failure.metadata["size"])
    assert not large.Get(GetRequest(key=key)).found


def test_a_frame_that_is_too_large_ends_its_stream(server, large, key):
    small = Operation(set=SetRequest(key=key, value=b"v"))
    huge = Operation(set=SetRequest(key=key, value=b"v" * (5 * MIB)))
    with counted(server, shed="message_size", refused="request_too_large"):
        replies = large.Pipeline(frames(small, huge, small))
        assert next(replies).results[0].set.stored
        with pytest.raises(grpc.RpcError) as error:
            next(replies)
    failure = failure_of(error.value)
    assert failure.code == grpc.StatusCode.INVALID_ARGUMENT, failure
    assert failure.reason == "REQUEST_TOO_LARGE"


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_compressed_request(server, client, key, algorithm):
    request = SetRequest(key=key, value=b"v" * 100_000)
    with counted(server, shed="compression", refused="compression_unsupported"):
        failure = failure_from(client.Set, request, compression=algorithm)
    assert failure.code == grpc.StatusCode.UNIMPLEMENTED
    assert failure.reason == "COMPRESSION_UNSUPPORTED"
    with counted(server, shed="compression", refused="compression_unsupported"):
        failure = failure_from(client.Scan, ScanRequest(prefix=b"v" * 4000), compression=algorithm)
    assert failure.reason == "COMPRESSION_UNSUPPORTED"
    operation = Operation(set=request)
    with counted(server, shed="compression", refused="compression_unsupported"):
        failure = failure_from(client.Pipeline, frames(operation), compression=algorithm)
    assert failure.reason == "COMPRESSION_UNSUPPORTED"
    assert not client.Get(GetRequest(key=key)).found


def test_a_method_that_there_is_not(server, client):
    for path in ("/ferrite.v1.CacheService/Nope", "/no.such.Service/Get"):
        for call in (client.channel.unary_unary(path), client.channel.unary_stream(path)):
            with counted(server, shed="unknown_method", refused="method_unknown"):
                failure = failure_from(call, b"what", timeout=CALL_S)
            assert failure.code == grpc.StatusCode.UNIMPLEMENTED
            assert failure.reason == "METHOD_UNKNOWN"


def test_what_is_no_message(server, client):
    get = client.channel.unary_unary("/ferrite.v1.CacheService/Get")
    with counted(server, refused="malformed"):
        failure = failure_from(get, b"\xff\xff\xff", timeout=CALL_S)
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED")
    assert "GetRequest" in failure.message
    check = client.channel.unary_unary("/grpc.health.v1.Health/Check")
    failure = failure_from(check, b"\xff\xff\xff", timeout=CALL_S)
    assert "type grpc.health.v1.HealthCheckRequest" in failure.message


def test_operations_of_a_frame_are_counted_one_by_one(server, client, key):
    client.Set(SetRequest(key=key, value=b"no number"))
    operations = [Operation(incr=IncrRequest(key=key, delta=1)) for _ in range(3)]
    with counted(server, refused="not_a_counter", times=3):
        (reply,) = client.Pipeline(iter([PipelineRequest(operations=operations)]))
        assert all(result.HasField("error") for result in reply.results)


def test_a_connection_has_so_many_streams():
    with ServerProcess("--max-concurrent-streams=4") as server:
        with CacheClient(server.grpc_address) as client, CacheClient(server.grpc_address) as other:
            followers = [Subscriber(client, channels=[b"c"]) for _ in range(4)]
            with counted(server, shed="streams", refused="overloaded", times=2):
                failure = failure_from(client.Subscribe, SubscribeRequest(channels=[b"c"]))
                assert failure_from(client.Pipeline, iter([])).reason == "OVERLOADED"
            assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert (failure.reason, failure.limit) == ("OVERLOADED", "4")
            assert "--max-concurrent-streams" in failure.message
            # The others have their own, and unary calls always find a place.
            Subscriber(other, channels=[b"c"]).cancel()
            for _ in range(100):
                client.Get(GetRequest(key=b"k"))
            followers[0].cancel()

            def subscribes():
                try:
                    Subscriber(client, channels=[b"c"]).cancel()
                    return True
                except grpc.RpcError as error:
                    return failure_of(error).reason

            eventually(subscribes, lambda outcome: outcome is True, "there is room again")
            for follower in followers:
                follower.cancel()
        warnings = [line for line in server.log().splitlines() if "max-concurrent-streams)" in line]
        assert len(warnings) == 1, "told once"


def test_subscriptions_beyond_their_limit_are_counted():
    with ServerProcess("--max-subscribers=1") as server, CacheClient(server.grpc_address) as client:
        with Subscriber(client, channels=[b"c"]):
            with counted(server, shed="subscribers", refused="overloaded"):
                failure = failure_from(client.Subscribe, SubscribeRequest(channels=[b"c"]))
            assert "--max-subscribers" in failure.message and failure.limit == "1"


def test_globs_beyond_what_may_share_their_literal_parts_are_counted():
    """Each name with an "a" in it has to be matched against all of them."""
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        many = [b"a[%c-z][%c-z]*" % (x, y) for x in range(40, 80) for y in range(40, 80)]
        with (
            Subscriber(client, channel_globs=many[:1000]),
            Subscriber(client, channel_globs=many[1000:1024]),
        ):
            with counted(server, shed="globs", refused="overloaded"):
                request = SubscribeRequest(channel_globs=many[1024:1025])
                failure = failure_from(client.Subscribe, request)
            assert "literal parts" in failure.message and failure.limit == "1024"
            with Subscriber(client, channel_globs=[b"another*[b-z]"]) as subscriber:
                client.Publish(PublishRequest(channel=b"another one", payload=b""))
                subscriber.take(1)


class Frames:
    """Frames that a client sends, and then nothing until the end of the block."""

    def __init__(self, *frames):
        self._frames = frames
        self._end = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._end.set()

    def __iter__(self):
        yield from self._frames
        self._end.wait(CALL_S)


@pytest.fixture
def silence():
    with Frames() as silent:
        yield iter(silent)


def test_a_message_takes_no_more_memory_than_there_is_however_large_it_is():
    """gRPC has no limit on a message before all of it is there."""
    with ServerProcess(
        "--max-memory=32MiB", "--max-inflight-bytes=8MiB", "--max-connections=100"
    ) as server, CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
        failure_from(client.Set, SetRequest(key=b"k", value=b"v" * (256 * MIB)))
        client.Set(SetRequest(key=b"k", value=b"v"))
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            (peak_kib,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
        assert peak_kib < 160 * 1024


STREAMS = {
    "Pipeline": lambda client, silence: client.Pipeline(silence),
    "Subscribe": lambda client, _: client.Subscribe(SubscribeRequest(channels=[b"c"])),
    "Scan": lambda client, _: client.Scan(ScanRequest(prefix=b"nothing like it")),
}


@pytest.mark.parametrize("method", STREAMS)
def test_a_stream_says_at_once_that_it_has_begun(client, silence, method):
    stream = STREAMS[method](client, silence)
    assert stream.initial_metadata() is not None
    stream.cancel()


def test_a_stream_of_frames_has_headers_before_its_first_frame(server):
    with Http2Connection(server.grpc_address) as connection:
        stream = connection.start("/ferrite.v1.CacheService/Pipeline")
        headers = connection.headers_of(stream)
        assert headers[":status"] == "200" and "grpc-status" not in headers


def handled(server, method, code=None):
    labels = {"grpc_method": method} if code is None else {"grpc_method": method, "grpc_code": code}
    return scrape(server).total("grpc_server_handled_total", **labels)


def test_streams_that_their_clients_end_did_not_fail():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        client.Set(SetRequest(key=b"k", value=b"v"))
        Subscriber(client, channels=[b"c"]).cancel()
        get = PipelineRequest(operations=[Operation(get=GetRequest(key=b"k"))])
        with Frames(get) as requests:
            replies = client.Pipeline(iter(requests))
            next(replies)
            replies.cancel()
        for method in ("Subscribe", "Pipeline"):
            eventually(lambda: handled(server, method), lambda n: n == 1, f"{method} ended")
            assert handled(server, method, "OK") == 1, method
