"""A fixed workload that uses every RPC, so that tests know what the counters must show."""

import grpc
from ferrite.v1.admin_pb2 import InfoRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
)
from ferrite.v1.cache_pb2 import MGetRequest, MSetRequest, ScanRequest, SetRequest, TouchRequest

CACHE = "ferrite.v1.CacheService"
ADMIN = "ferrite.v1.AdminService"

# What run() adds to grpc_server_handled_total, by service, method and code; everything else stays
# at 0.
HANDLED = {
    (CACHE, "Set", "OK"): 20,
    (CACHE, "Set", "InvalidArgument"): 3,
    (CACHE, "Get", "OK"): 30,
    (CACHE, "Get", "InvalidArgument"): 2,
    (CACHE, "Incr", "OK"): 4,
    (CACHE, "Incr", "FailedPrecondition"): 1,
    (CACHE, "Incr", "OutOfRange"): 1,
    (CACHE, "Delete", "OK"): 2,
    (CACHE, "Touch", "OK"): 1,
    (CACHE, "Exists", "OK"): 1,
    (CACHE, "MGet", "OK"): 1,
    (CACHE, "MSet", "OK"): 1,
    (CACHE, "MDelete", "OK"): 1,
    (CACHE, "Scan", "OK"): 1,
    (CACHE, "Scan", "InvalidArgument"): 1,
    (ADMIN, "Info", "OK"): 1,
    (ADMIN, "Stats", "OK"): 1,
}
# A key of MGet counts as a get.
HITS = 20 + 2
MISSES = 10 + 1
ENTRIES = 20 + 1 + 5 - 1 - 5  # Set, Incr and MSet write; Delete and MDelete remove


def run(client):
    for number in range(20):
        client.Set(SetRequest(key=b"%d" % number, value=b"v" * 100))
    for number in range(30):
        client.Get(GetRequest(key=b"%d" % number))
    for _ in range(4):
        client.Incr(IncrRequest(key=b"counter"))
    client.MSet(MSetRequest(entries=[SetRequest(key=b"batch/%d" % n) for n in range(5)]))
    client.MGet(MGetRequest(keys=[b"batch/0", b"absent", b"batch/1"]))
    client.Exists(ExistsRequest(keys=[b"0", b"absent"]))
    client.Touch(TouchRequest(key=b"0", ttl_ms=3_600_000))
    client.Delete(DeleteRequest(key=b"19"))
    client.Delete(DeleteRequest(key=b"absent"))
    client.MDelete(MDeleteRequest(keys=[b"batch/%d" % n for n in range(5)]))
    list(client.Scan(ScanRequest()))
    client.Info(InfoRequest())
    client.Stats(StatsRequest())
    refused = [
        (client.Set, SetRequest()),
        (client.Set, SetRequest(key=b"k", ttl_ms=-1)),
        (client.Set, SetRequest(key=b"k" * 5000)),
        (client.Get, GetRequest()),
        (client.Get, GetRequest(key=b"k", touch_ttl_ms=0)),
        (client.Incr, IncrRequest(key=b"0")),
        (client.Incr, IncrRequest(key=b"counter", max=1)),
        (lambda request: list(client.Scan(request)), ScanRequest(cursor=b"garbage")),
    ]
    for call, request in refused:
        try:
            call(request)
        except grpc.RpcError:
            continue
        raise AssertionError(f"should have failed: {request}")
