"""A hundred subscriptions whose events of 1 MiB nobody reads, and somebody who publishes them."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from http2_connection import Http2Connection

STREAMS = 100
FILLS = ("subscriber-total-bytes", "max-subscribers", "history-bytes")


def attack(options, _, deadline):
    with Http2Connection(options.address) as hog, grpc.insecure_channel(options.address) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        for number in range(STREAMS):
            request = cache_pb2.SubscribeRequest(channels=[b"%d" % number])
            hog.start_call("/ferrite.v1.CacheService/Subscribe", request.SerializeToString())
        for number in range(STREAMS):
            client.Publish(cache_pb2.PublishRequest(channel=b"%d" % number, payload=b"e" * (1 << 20)))
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack)
