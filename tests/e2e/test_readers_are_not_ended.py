"""SLOW_CONSUMER_POLICY_END ends streams that are not read, and no others."""

from cache_client import CacheClient
from ferrite.v1.cache_pb2 import (
    SLOW_CONSUMER_POLICY_END as END,
    Operation,
    PipelineRequest,
    PublishRequest,
)
from server_process import ServerProcess
from subscriber import Subscriber, publish

NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535)]


def publish_in_one_frame(client, channel, payloads):
    operations = [Operation(publish=PublishRequest(channel=channel, payload=p)) for p in payloads]
    (reply,) = client.Pipeline(iter([PipelineRequest(operations=operations)]))
    assert all(result.publish.receivers == 1 for result in reply.results)


def test_a_large_frame_does_not_end_a_stream_that_reads():
    # With one thread, the whole frame is published before the stream can send its first message.
    with ServerProcess("--threads=1") as server, CacheClient(server.grpc_address) as client:
        with Subscriber(client, channels=[b"c"], slow_consumer_policy=END) as reader:
            payloads = [b"%d" % number + b" " * 3000 for number in range(512)]
            publish_in_one_frame(client, b"c", payloads)
            assert reader.take_payloads(512) == payloads


def test_stalled_streams_do_not_end_a_stream_that_reads():
    flags = ("--threads=1", "--subscriber-total-bytes=64KiB", "--shutdown-grace=1s")
    with ServerProcess(*flags) as server, CacheClient(server.grpc_address) as client:
        with CacheClient(server.grpc_address, NARROW) as narrow:
            stalled = Subscriber(narrow, channels=[b"stalled"])
            for _ in range(100):
                assert publish(client, b"stalled", b"v" * 10_000).receivers == 1
            with Subscriber(client, channels=[b"c"], slow_consumer_policy=END) as reader:
                payloads = [b"%d" % number + b" " * 400 for number in range(40)]
                publish_in_one_frame(client, b"c", payloads)
                assert reader.take_payloads(40) == payloads
            stalled.cancel()
