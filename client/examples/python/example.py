"""Calls a Ferrite server: reads and writes, retries, a pipeline, a subscription, errors.

    pip install -r requirements.txt && ./generate.sh && python3 example.py [HOST:PORT]
"""

import json
import pathlib
import sys
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

sys.path.insert(0, str(pathlib.Path(__file__).parent / "stubs"))

from ferrite.v1 import cache_pb2, cache_pb2_grpc

# What is tried again, when the server cannot be reached or says when to come again (grpc-retry-pushback-ms): only what may
# be executed twice. Reads may, a Set without a condition, and whatever has a request_id: so give one to every Incr and to
# every Set with a condition. Delete may not, as its second try answers that nothing was there, nor may Publish, whose
# subscribers would get the message twice.
SERVICE_CONFIG = {
    "methodConfig": [{
        "name": [{"service": "ferrite.v1.CacheService", "method": method}
                 for method in ("Get", "MGet", "Exists", "Touch", "Set", "Incr")],
        "retryPolicy": {
            "maxAttempts": 4,
            "initialBackoff": "0.05s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        },
    }]
}
OPTIONS = [
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # The server closes connections that ping more often than every 10 s.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]
# Every call has a deadline. The server does not execute what comes too late.
CALL_S = 20


def read_and_write(cache):
    written = cache.Set(cache_pb2.SetRequest(key=b"user:1", value=b"Ada", ttl_ms=60_000), timeout=CALL_S)
    hit = cache.Get(cache_pb2.GetRequest(key=b"user:1"), timeout=CALL_S)
    if hit.found and hit.version == written.version:
        print(f"hit: {hit.value.decode()}, at the version that was written")
    miss = cache.Get(cache_pb2.GetRequest(key=b"user:2"), timeout=CALL_S)
    if not miss.found:  # a miss is an answer, not an error
        print("miss: user:2")


def count(cache):
    # The id makes a retry safe: the server counts once, and repeats its first answer.
    request = cache_pb2.IncrRequest(key=b"visits", initial=2**53, request_id=uuid.uuid4().bytes)
    first = cache.Incr(request, timeout=CALL_S)
    repeated = cache.Incr(request, timeout=CALL_S)
    print(f"counter: {first.value}, repeated: {repeated.value}")
    many = cache.MGet(cache_pb2.MGetRequest(keys=[b"user:1", b"user:2"]), timeout=CALL_S)
    print("mget: " + ", ".join(result.value.decode() if result.found else "absent" for result in many.results))


def pipeline(cache):
    """One frame of operations and its reply. Each operation has its own outcome."""
    frame = cache_pb2.PipelineRequest(operations=[
        cache_pb2.Operation(set=cache_pb2.SetRequest(key=b"user:1", value=b"Grace")),
        cache_pb2.Operation(get=cache_pb2.GetRequest(key=b"user:1")),
        cache_pb2.Operation(get=cache_pb2.GetRequest()),  # without a key
    ])
    for reply in cache.Pipeline(iter([frame]), timeout=CALL_S):
        for result in reply.results:
            outcome = result.WhichOneof("outcome")
            if outcome == "set":
                print("pipeline: stored")
            elif outcome == "get":
                print(f"pipeline: {result.get.value.decode()}")
            elif outcome == "error":
                print(f"pipeline: {cache_pb2.ErrorReason.Name(result.error.reason)}")


def publish(cache, text):
    cache.Publish(cache_pb2.PublishRequest(channel=b"news", payload=text.encode()), timeout=CALL_S)


def next_message(cache, token, text=None):
    """Publishes `text` once the subscription is acknowledged, and returns the token of the first message that comes."""
    # Without a deadline: a subscription lasts until it is cancelled.
    stream = cache.Subscribe(cache_pb2.SubscribeRequest(channels=[b"news"], resume_token=token))
    try:
        for response in stream:  # UNAVAILABLE: subscribe again, with the token of the last event
            for event in response.events:
                kind = event.WhichOneof("event")
                if kind == "acknowledgement":  # from here on nothing is missed
                    if event.acknowledgement.resumed:
                        print("resumed")
                    if text is not None:
                        publish(cache, text)
                elif kind == "message":
                    print(f"message: {event.message.payload.decode()}")
                    return event.resume_token
                elif kind == "discontinuity":
                    print("something may be missing: read it anew")
    finally:
        stream.cancel()
    raise RuntimeError("the server ended the subscription")


def subscribe(cache):
    """A subscription that breaks loses nothing: the next one goes on after the last event that arrived."""
    token = next_message(cache, b"", "first")
    publish(cache, "second")
    next_message(cache, token)


def error_info(error):
    """Why the server refused: its reason is one of cache_pb2.ErrorReason, its metadata are facts such as the limit."""
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == "ferrite":
            return info
    return error_details_pb2.ErrorInfo()


def refused(cache):
    try:
        cache.Get(cache_pb2.GetRequest(key=bytes(5000)), timeout=CALL_S)
    except grpc.RpcError as error:
        info = error_info(error)
        print(f"refused: {info.reason}, limit {info.metadata['limit']}")


def compressed(cache):
    """The server takes no compressed requests. Whoever wants to save bytes compresses values."""
    try:
        value = b"Ada" * 1000  # what would not get smaller is sent as it is
        cache.Set(cache_pb2.SetRequest(key=b"user:1", value=value), timeout=CALL_S, compression=grpc.Compression.Gzip)
    except grpc.RpcError as error:
        print(f"gzip: {error.code().name}")


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:6380"
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        cache = cache_pb2_grpc.CacheServiceStub(channel)
        cache.MDelete(cache_pb2.MDeleteRequest(keys=[b"visits"]), timeout=CALL_S)
        for step in (read_and_write, count, pipeline, subscribe, refused, compressed):
            step(cache)


if __name__ == "__main__":
    main()
