"""How the Python tests call a server: the generated stubs over one connection, and errors parsed
into their parts.
"""

import collections

import grpc
from ferrite.v1 import admin_pb2_grpc
from ferrite.v1 import cache_pb2
from ferrite.v1 import cache_pb2_grpc
from google.rpc import error_details_pb2
from google.rpc import status_pb2

# Each channel gets its own connection; gRPC would share one between equal channels. Reconnecting
# hardly backs off, so that a test need not wait for it.
OWN_CONNECTION = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.enable_retries", 0),
]
UNLIMITED_MESSAGES = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

# Ends a call that hangs. It does not measure speed.
CALL_S = 60

Failure = collections.namedtuple("Failure", "code reason limit message metadata")


class CacheClient:
    """A connection to one server, with the methods of CacheService and AdminService as plain
    functions.

    A call without its own timeout ends after CALL_S. `options` are gRPC channel arguments; with `credentials` it speaks TLS.
    """

    def __init__(self, address, options=(), credentials=None):
        own = [*OWN_CONNECTION, *options]
        self.channel = grpc.secure_channel(address, credentials, own) if credentials else grpc.insecure_channel(address, own)
        self.cache = cache_pb2_grpc.CacheServiceStub(self.channel)
        self.admin = admin_pb2_grpc.AdminServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.channel.close()

    def __getattr__(self, method):
        stub = self.cache if hasattr(self.cache, method) else self.admin
        call = getattr(stub, method)

        def invoke(request, timeout=CALL_S, **arguments):
            return call(request, timeout=timeout, **arguments)

        return invoke


def failure_of(error):
    """Parses a grpc.RpcError. `reason` is None when there is no ErrorInfo; more than one detail
    fails the test.
    """
    details = [
        value
        for name, value in error.trailing_metadata() or ()
        if name == "grpc-status-details-bin"
    ]
    if not details:
        return Failure(error.code(), None, None, error.details(), {})
    status = status_pb2.Status.FromString(details[0])
    assert len(details) == 1 and len(status.details) == 1, f"one ErrorInfo expected: {details}"
    assert (
        status.code == error.code().value[0] and status.message == error.details()
    ), f"{status} contradicts {error}"
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info), f"not an ErrorInfo: {status}"
    assert info.domain == "ferrite", info
    assert cache_pb2.ErrorReason.Value(info.reason) > 0, f"ErrorReason has no value called so: {info}"
    metadata = dict(info.metadata)
    return Failure(error.code(), info.reason, metadata.get("limit"), error.details(), metadata)


def failure_from(call, *arguments, **named):
    """Makes a call that must fail, and returns its Failure. Reads a stream to its end."""
    try:
        answer = call(*arguments, **named)
        if hasattr(answer, "__next__"):
            answer = list(answer)
    except grpc.RpcError as error:
        return failure_of(error)
    raise AssertionError(f"should have failed, but answered: {str(answer)[:500]}")


def assert_refused(reason, call, request, limit=None, code=grpc.StatusCode.INVALID_ARGUMENT):
    """The call must fail with `code` and `reason`; if `limit` is given, both the message and the
    details must name it.
    """
    failure = failure_from(call, request)
    assert (failure.code, failure.reason) == (code, reason), failure
    assert failure.message, "the error has no message"
    if limit is not None:
        assert failure.limit == str(limit), failure
        assert str(limit) in failure.message, failure


def scan_all(client, request):
    """All entries that a Scan streams, in order."""
    return [entry for response in client.Scan(request) for entry in response.entries]
