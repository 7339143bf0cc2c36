"""128 subscriptions of 1,024 keys of 4 KiB each, on four connections."""

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc

STREAMS = 32
KEYS = 1024
FILLS = ("subscriber-total-bytes", "max-subscribers")


def attack(options, index, deadline):
    with grpc.insecure_channel(options.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        calls = []
        for stream in range(STREAMS):
            prefix = b"%d/%d/" % (index, stream)
            keys = [prefix + b"%04d" % key + b"k" * 4_080 for key in range(KEYS)]
            call = client.Subscribe(cache_pb2.SubscribeRequest(keys=keys))
            try:
                next(call)
                calls.append(call)
            except grpc.RpcError:  # there is no room for it
                break
        flood.wait_until(deadline)
        for call in calls:
            call.cancel()


if __name__ == "__main__":
    flood.run(attack, connections=4)
