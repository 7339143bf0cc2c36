"""Pipeline with plain generated stubs: frames in order, each operation with its own outcome."""

import queue

from cache_client import assert_refused, failure_from
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    GetRequest,
    GetResponse,
    IncrRequest,
    Operation,
    PipelineRequest,
    SetRequest,
    TouchRequest,
)

HOUR_MS = 3_600_000


def frame(*operations):
    return PipelineRequest(operations=operations)


def get(key):
    return Operation(get=GetRequest(key=key))


def put(key, value, **terms):
    return Operation(set=SetRequest(key=key, value=value, **terms))


def incr(key):
    return Operation(incr=IncrRequest(key=key))


def replies_to(client, *frames):
    return [reply.results for reply in client.Pipeline(iter(frames))]


def test_a_frame_of_every_kind(client, key):
    (results,) = replies_to(
        client,
        frame(
            get(key),
            put(key, b"\0one", ttl_ms=HOUR_MS),
            get(key),
            Operation(touch=TouchRequest(key=key, persist=True)),
            Operation(delete=DeleteRequest(key=key)),
            get(key),
            incr(key),
        ),
    )
    missed, written, read, touched, deleted, missed_again, counted = results
    assert missed.get == missed_again.get == GetResponse()
    assert written.set.stored
    assert (read.get.value, read.get.version) == (b"\0one", written.set.version)
    assert HOUR_MS - 60_000 < read.get.ttl_ms <= HOUR_MS
    assert touched.touch.found and not touched.touch.HasField("ttl_ms")
    assert deleted.delete.deleted and deleted.delete.version == written.set.version
    assert counted.incr.value == 1 and counted.incr.created


def test_many_frames_are_answered_in_order(client, key):
    replies = replies_to(client, *[frame(*[incr(key)] * 7) for _ in range(300)])
    values = [result.incr.value for results in replies for result in results]
    assert values == list(range(1, 2101))


def test_a_frame_of_1024_reads_what_another_wrote(client, key):
    keys = [key + b"/%d" % number for number in range(1024)]
    written, read = replies_to(
        client, frame(*[put(k, k[::-1]) for k in keys]), frame(*[get(k) for k in keys])
    )
    assert [r.get.value for r in read] == [k[::-1] for k in keys]
    assert [r.get.version for r in read] == [w.set.version for w in written]


def test_a_refused_operation_does_not_stop_the_others(client, key):
    (results,) = replies_to(
        client, frame(put(key, b"text"), incr(key), get(b""), Operation(), get(key))
    )
    assert [result.error.code for result in results] == [0, 9, 3, 3, 0]
    assert results[4].get.value == b"text"


def test_a_stream_can_be_used_as_a_conversation(client, key):
    frames = queue.Queue()
    stream = client.Pipeline(iter(frames.get, None))
    for number in range(1, 20):
        frames.put(frame(incr(key)))
        assert next(stream).results[0].incr.value == number
    frames.put(None)
    assert list(stream) == []


def test_frames_out_of_bounds_end_the_stream(client, key):
    assert_refused("BATCH_EMPTY", client.Pipeline, iter([frame()]))
    assert_refused(
        "BATCH_TOO_LARGE", client.Pipeline, iter([frame(*[incr(key)] * 1025)]), limit=1024
    )
    assert not client.Get(GetRequest(key=key)).found, "no operation of the frame was executed"


def test_bytes_that_are_no_frame_are_refused(client):
    call = client.channel.stream_stream("/ferrite.v1.CacheService/Pipeline")
    failure = failure_from(call, iter([b"\x0a\x7fshort"]), timeout=60)
    assert failure.reason == "MALFORMED", failure
