"""64 subscriptions with 1,024 globs each, of the kind that an index cannot use; messages for them; and all of them dropped at once."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc

STREAMS = 64
GLOBS = 1024
FILLS = ("subscriber-total-bytes", "max-subscribers")


def attack(options, _, deadline):
    with grpc.insecure_channel(options.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        calls = []
        for stream in range(STREAMS):
            globs = [b"*%d_%d*" % (stream, glob) for glob in range(GLOBS)]
            call = client.Subscribe(cache_pb2.SubscribeRequest(channel_globs=globs))
            try:
                next(call)
                calls.append(call)
            except grpc.RpcError:  # there is no room for it
                break
        for _ in range(100):
            client.Publish(cache_pb2.PublishRequest(channel=b"3_7" * 20, payload=b"e"))
        flood.wait_until(deadline, longest_s=0.5)
        for call in calls:
            call.cancel()


if __name__ == "__main__":
    flood.run(attack)
