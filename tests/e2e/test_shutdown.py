"""SIGTERM while clients write: every acknowledged write has happened, and the server ends by itself
with exit code 0.
"""

import collections
import threading

import grpc
from cache_client import CacheClient, failure_of
from ferrite.v1.cache_pb2 import (
    GetRequest,
    IncrRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    ScanRequest,
    SetRequest,
)
from http2_connection import Http2Connection
from server_process import ServerProcess

WRITERS = 8


class Writer(threading.Thread):
    """Increments until the server is gone, and remembers what was acknowledged."""

    def __init__(self, address, number):
        super().__init__()
        self.address = address
        self.own_key = b"own/%d" % number
        self.acknowledged = []
        self.versions = []
        self.failed = 0
        self.code = None
        self.busy = threading.Event()

    def run(self):
        with CacheClient(self.address) as client:
            while True:
                try:
                    answer = client.Incr(IncrRequest(key=b"shared"))
                    self.acknowledged.append(answer.value)
                    stored = client.Set(SetRequest(key=self.own_key, value=b"%d" % answer.value))
                    self.versions.append(stored.version)
                    read = client.Get(GetRequest(key=self.own_key))
                    assert int(read.value) == answer.value and read.version == stored.version
                except grpc.RpcError as error:
                    self.failed += 1
                    self.code = error.code()
                    return
                if len(self.acknowledged) == 50:
                    self.busy.set()


def test_sigterm_under_load():
    with ServerProcess() as server:
        writers = [Writer(server.grpc_address, number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            assert writer.busy.wait(60)
        server.terminate()
        code, _ = server.wait()
        for writer in writers:
            writer.join()
        assert code == 0, server.log()

        acknowledged = [value for writer in writers for value in writer.acknowledged]
        assert len(set(acknowledged)) == len(acknowledged), "an increment was acknowledged twice"
        # Each writer misses the reply of at most one increment.
        assert max(acknowledged) <= len(acknowledged) + WRITERS
        for writer in writers:
            assert writer.acknowledged == sorted(writer.acknowledged)
            assert all(a < b for a, b in zip(writer.versions, writer.versions[1:]))
            assert writer.code == grpc.StatusCode.UNAVAILABLE, writer.code

        again = {
            "grpc_port": server.grpc_address.rpartition(":")[2],
            "http_port": server.http_address.rpartition(":")[2],
        }
        with ServerProcess(**again) as successor, CacheClient(successor.grpc_address) as client:
            assert not client.Get(GetRequest(key=b"shared")).found


def test_sigint_stops_it_too():
    with ServerProcess() as server:
        server.interrupt()
        assert server.wait()[0] == 0


def test_sigterm_before_any_connection_and_with_idle_ones():
    with ServerProcess():
        pass
    with ServerProcess() as server:
        clients = [CacheClient(server.grpc_address) for _ in range(20)]
        for client in clients:
            client.Get(GetRequest(key=b"k"))
        server.stop()
        for client in clients:
            client.close()


def test_calls_that_never_complete_end_when_the_grace_is_over():
    with ServerProcess("--shutdown-grace=1s") as server:
        connection = Http2Connection(server.grpc_address)
        stream = connection.start("/ferrite.v1.CacheService/Set")
        connection.send_part(stream, b"\0\0\0")
        server.stop()
        connection.close()


def test_a_scan_in_progress_completes_or_ends_with_an_error():
    with ServerProcess() as server, CacheClient(server.grpc_address) as client:
        expected = {b"%d/%d" % (batch, number) for batch in range(10) for number in range(300)}
        for batch in range(10):
            entries = [
                SetRequest(key=b"%d/%d" % (batch, number), value=b"v" * 2000)
                for number in range(300)
            ]
            client.MSet(MSetRequest(entries=entries))
        stream = client.Scan(ScanRequest(with_values=True))
        first = next(stream)
        server.terminate()
        try:
            answers = [first, *stream]
            seen = {entry.key for answer in answers for entry in answer.entries}
            assert seen == expected, "a stream that ends with OK is complete"
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        assert server.wait()[0] == 0


class Caller(threading.Thread):
    """Keeps calls in flight until the server is gone; how each ended, by its code and reason."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.ends = collections.Counter()
        self.busy = threading.Event()

    def run(self):
        with CacheClient(self.address) as client:
            calls = collections.deque()
            while True:
                calls.append(client.cache.Incr.future(IncrRequest(key=b"shared"), timeout=60))
                if len(calls) < 50:
                    continue
                call = calls.popleft()
                if (error := call.exception()) is not None:
                    self.note(error)
                    break
                self.ends["OK"] += 1
                self.busy.set()
            for call in calls:
                error = call.exception()
                self.ends["OK"] += error is None
                if error is not None:
                    self.note(error)

    def note(self, error):
        self.ends[error.code().name, failure_of(error).reason] += 1


def test_no_call_is_cancelled_without_a_word():
    """Each ends with its result, or UNAVAILABLE; those that the server took up, with a reason."""
    for _ in range(5):
        with ServerProcess() as server:
            callers = [Caller(server.grpc_address) for _ in range(4)]
            for caller in callers:
                caller.start()
            for caller in callers:
                assert caller.busy.wait(60)
            server.terminate()
            server.await_end(0)
            for caller in callers:
                caller.join()
            ends = sum((caller.ends for caller in callers), collections.Counter())
            allowed = {"OK", ("UNAVAILABLE", "SHUTTING_DOWN"), ("UNAVAILABLE", None)}
            assert set(ends) <= allowed, ends
            assert ("UNAVAILABLE", "SHUTTING_DOWN") in ends, ends


def test_a_request_that_never_completes_is_not_cancelled_without_a_word():
    with ServerProcess("--shutdown-grace=1s") as server:
        with CacheClient(server.grpc_address) as client:
            never = threading.Event()

            def frames():
                yield PipelineRequest(operations=[Operation(get=GetRequest(key=b"k"))])
                never.wait()

            call = client.Pipeline(frames())
            assert next(call).results
            server.stop()
            try:
                list(call)
                raise AssertionError("it ended well")
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                assert failure_of(error).reason == "SHUTTING_DOWN", error
            never.set()
