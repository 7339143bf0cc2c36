"""What subscriptions and idle streams take has a limit, whatever one client asks for, and others
still get theirs.
"""

import grpc
import pytest
from cache_client import CacheClient, UNLIMITED_MESSAGES, failure_from
from eventually import eventually
from exposition import scrape
from ferrite.v1.cache_pb2 import GetRequest, Operation, PipelineRequest, SubscribeRequest
from http2_connection import Http2Connection
from server_process import ServerProcess
from subscriber import Subscriber, publish

MIB = 1 << 20
PIPELINE = "/ferrite.v1.CacheService/Pipeline"
SUBSCRIBE = "/ferrite.v1.CacheService/Subscribe"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def shed(server, reason):
    return scrape(server).total("ferrite_shed_total", reason=reason)


def pipeline(client):
    """One frame through a stream of its own."""
    frame = PipelineRequest(operations=[Operation(get=GetRequest(key=b"k"))])
    return client.Pipeline(iter([frame]))


def test_idle_streams_have_a_limit_and_a_connection_gets_half():
    with ServerProcess("--max-streams=100") as server:
        with Http2Connection(server.grpc_address) as hog, CacheClient(server.grpc_address) as client:
            for _ in range(60):
                hog.start(PIPELINE)
            eventually(
                lambda: shed(server, "connection_share"), lambda n: n == 10, "half is all it gets"
            )
            assert scrape(server).total("ferrite_streams") == 50
            assert len(list(pipeline(client))) == 1
            others = [Http2Connection(server.grpc_address) for _ in range(100)]
            for other in others:
                other.start(PIPELINE)
            eventually(lambda: shed(server, "all_streams"), lambda n: n == 50, "no place is left")
            failure = failure_from(pipeline, client)
            assert (failure.code, failure.reason) == (EXHAUSTED, "OVERLOADED"), failure
            assert failure.limit == "100" and "--max-streams" in failure.message, failure
            assert client.Get(GetRequest(key=b"k")) is not None, "unary calls need no place"
            with Subscriber(client, channels=[b"c"]):
                pass  # nor do subscriptions
            for other in others:
                other.close()
            eventually(
                lambda: scrape(server).total("ferrite_streams"), lambda n: n == 50, "places are free"
            )
            assert len(list(pipeline(client))) == 1


def test_topics_of_subscriptions_have_a_limit():
    limit = 32 * MIB
    with ServerProcess(f"--subscriber-total-bytes={limit}", "--subscription-linger=50ms") as server:
        with CacheClient(server.grpc_address) as hog, CacheClient(server.grpc_address) as client:
            before = server.resident_bytes()
            streams, refused = [], 0
            for number in range(12):
                keys = [b"%d/%d/" % (number, key) + b"k" * 4080 for key in range(1024)]
                stream = hog.Subscribe(SubscribeRequest(keys=keys))
                try:
                    next(stream)
                    streams.append(stream)
                except grpc.RpcError as error:
                    assert error.code() == EXHAUSTED, error
                    assert "--subscriber-total-bytes" in error.details(), error
                    refused += 1
            assert refused == shed(server, "topics") > 0
            held = scrape(server).total("ferrite_subscriber_topic_bytes")
            assert limit / 4 < held <= limit, held
            grown = server.resident_bytes() - before
            assert server.sanitized() or grown < 3 * limit, grown
            with Subscriber(client, keys=[b"key/%d" % number for number in range(1024)]):
                pass  # others have room
            for stream in streams:
                stream.cancel()
            topics = lambda: scrape(server).total("ferrite_subscriber_topic_bytes")
            eventually(topics, lambda n: n == 0, "topics are given back")


@pytest.mark.parametrize("connections", [1, 20])
def test_what_stalled_subscriptions_hold_has_a_limit(connections):
    """Each of 100 streams that nobody reads takes another large event."""
    limit, history = 8 * MIB, 32 * MIB
    flags = [f"--subscriber-total-bytes={limit}", f"--history-bytes={history}"]
    with ServerProcess(*flags) as server:
        with CacheClient(server.grpc_address, UNLIMITED_MESSAGES) as client:
            hogs = [Http2Connection(server.grpc_address) for _ in range(connections)]
            before = server.resident_bytes()
            for number in range(100):
                request = SubscribeRequest(channels=[b"%d" % number])
                hogs[number % connections].start_call(SUBSCRIBE, request.SerializeToString())
            streams = lambda: scrape(server).total("ferrite_subscribers")
            eventually(streams, lambda n: n == 100, "all follow their channels")
            with Subscriber(client, channels=[b"small"]) as other:
                for _ in range(3):
                    for number in range(100):
                        publish(client, b"%d" % number, b"e" * MIB)
                held = scrape(server).total("ferrite_subscriber_queue_bytes")
                assert held <= limit + 100 * 4096, held
                grown = server.resident_bytes() - before
                assert server.sanitized() or grown < history + 5 * limit, grown
                publish(client, b"small", b"event")
                assert other.take_payloads(1) == [b"event"], "others go on"
            with Subscriber(client, channels=[b"large"]) as other:
                publish(client, b"large", b"e" * MIB)
                if connections == 1:
                    assert other.take_payloads(1) == [b"e" * MIB], "of one that took all it could"
            for hog in hogs:
                hog.close()
            queued = lambda: scrape(server).total("ferrite_subscriber_queue_bytes")
            eventually(queued, lambda n: n == 0, "all of it is given back")


def test_who_waited_for_room_gets_the_event_when_there_is_some():
    limit = 4 * MIB
    with ServerProcess(f"--subscriber-total-bytes={limit}", "--connection-share=100%") as server:
        with CacheClient(server.grpc_address) as client, CacheClient(server.grpc_address) as reader:
            hog = Http2Connection(server.grpc_address)
            for number in range(8):
                request = SubscribeRequest(channels=[b"hogs"])
                hog.start_call(SUBSCRIBE, request.SerializeToString())
            streams = lambda: scrape(server).total("ferrite_subscribers")
            eventually(streams, lambda n: n == 8, "all follow their channel")
            publish(client, b"hogs", b"e" * (MIB - 1000))
            with Subscriber(reader, channels=[b"large"]) as other:
                publish(client, b"large", b"e" * (MIB // 2))
                hog.close()
                assert other.take_payloads(1) == [b"e" * (MIB // 2)]
