"""One client that means no harm: 100 Gets a second on a connection of its own, each on time whatever became of the others.

Prints a line when it has been served for a second, and at the end how many there were, how many were answered, and their 99th percentile in milliseconds. It ends when its input does.
"""

import json
import select
import sys
import time

import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc

PAUSE_S = 0.01
DEADLINE_S = 2


def open_channel(address, trusted):
    if trusted is None:
        return grpc.insecure_channel(address)
    with open(trusted, "rb") as authorities:
        credentials = grpc.ssl_channel_credentials(authorities.read())
    return grpc.secure_channel(address, credentials, [("grpc.ssl_target_name_override", "localhost")])


def main(address, trusted=None):
    told = False
    with open_channel(address, trusted) as channel:
        client = cache_pb2_grpc.CacheServiceStub(channel)
        request = cache_pb2.GetRequest(key=b"k")
        taken_s = []
        pending = []
        began = time.monotonic()
        while not select.select([sys.stdin], [], [], max(0, began + len(pending) * PAUSE_S - time.monotonic()))[0]:
            start = time.monotonic()
            call = client.Get.future(request, timeout=DEADLINE_S)
            call.add_done_callback(lambda _, start=start: taken_s.append(time.monotonic() - start))
            pending.append(call)
            if not told and len(taken_s) >= 100:
                told = True
                print("served", flush=True)
        served = [call for call in pending if call.exception() is None]
        taken_s.sort()
        p99_s = taken_s[len(taken_s) * 99 // 100]
    print(json.dumps({"asked": len(pending), "served": len(served), "p99_ms": p99_s * 1000}))


if __name__ == "__main__":
    main(*sys.argv[1:])
