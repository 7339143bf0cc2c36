"""Twenty thousand replies of 1 KiB that nobody reads, on 20 connections."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from http2_connection import Http2Connection

CALLS = 1_000


def attack(options, _, deadline):
    with grpc.insecure_channel(options.address) as channel:
        cache_pb2_grpc.CacheServiceStub(channel).Set(cache_pb2.SetRequest(key=b"small", value=b"v" * 1024))
    with Http2Connection(options.address) as hog:
        request = cache_pb2.GetRequest(key=b"small").SerializeToString()
        hog.call(flood.GET, b"\n\x06absent")  # so it has acknowledged how many streams there may be
        for _ in range(CALLS):
            hog.start_call(flood.GET, request)
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack, connections=20)
