"""64 Pipeline streams of one connection that send frames of 3 MB for as long as the server takes them, and read no reply."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc

MIB = 1 << 20
STREAMS = 64
FRAMES = 8
# The receive window does not grow.
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535), ("grpc.use_local_subchannel_pool", 1)]


def attack(options, _, deadline):
    with grpc.insecure_channel(options.address, NARROW) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        write = cache_pb2.Operation(set=cache_pb2.SetRequest(key=b"fat", value=b"v" * MIB))
        client.Set(write.set)
        get = cache_pb2.PipelineRequest(operations=[cache_pb2.Operation(get=cache_pb2.GetRequest(key=b"fat"))] * 3)
        fat = cache_pb2.PipelineRequest(operations=[write] * 3)
        calls = [client.Pipeline(iter([get] + [fat] * FRAMES)) for _ in range(STREAMS)]
        flood.wait_until(deadline)
        for call in calls:
            call.cancel()


if __name__ == "__main__":
    flood.run(attack)
