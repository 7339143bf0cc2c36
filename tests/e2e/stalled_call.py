"""A call that stays in flight until its client leaves, so that a test can observe a busy server."""

from eventually import eventually
from ferrite.v1.admin_pb2 import StatsRequest
from ferrite.v1.cache_pb2 import ScanRequest, SetRequest
from http2_connection import Http2Connection


def stall(server, client):
    """Begins a Scan of 8 MiB that nobody reads, and waits until it is in flight.

    Returns its Http2Connection; closing the connection ends the call.
    """
    for number in range(8):
        client.Set(SetRequest(key=b"stalled/%d" % number, value=b"v" * (1 << 20)))
    connection = Http2Connection(server.grpc_address)
    scan = ScanRequest(prefix=b"stalled/", with_values=True)
    connection.start_call("/ferrite.v1.CacheService/Scan", scan.SerializeToString())
    inflight = lambda: client.Stats(StatsRequest()).inflight_requests
    eventually(inflight, lambda count: count >= 2, "the Scan is in flight beside the Stats")
    return connection
