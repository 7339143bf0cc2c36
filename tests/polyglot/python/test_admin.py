"""AdminService: Info, Stats, Flush. test_slow_log.py has SlowLog."""

import grpc
import pytest
from cache_client import CacheClient, scan_all
from eventually import eventually
from ferrite.v1.admin_pb2 import FlushRequest, InfoRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    ScanRequest,
    SetRequest,
    TouchRequest,
)
from server_process import ServerProcess


@pytest.fixture
def fresh():
    """A fresh server for each test, because the figures count every call since the start."""
    with ServerProcess("--max-memory=128MiB") as server, CacheClient(server.grpc_address) as client:
        yield server, client


def test_info_reports_version_and_settings(fresh):
    server, client = fresh
    info = client.Info(InfoRequest())
    assert info.version.count(".") == 2 and info.version[0].isdigit()
    assert info.pid == server.pid
    eventually(
        lambda: client.Info(InfoRequest()).uptime_ms,
        lambda uptime: uptime > info.uptime_ms,
        "the uptime grows",
    )
    flags = {
        "listen", "http-listen", "max-memory", "eviction", "shards", "threads", "max-value-bytes",
        "max-connections", "shutdown-grace", "max-connection-age", "log-format", "log-level",
        "slowlog-threshold", "slowlog-entries",
    }  # fmt: skip
    assert flags <= set(info.settings), flags - set(info.settings)
    assert info.settings["eviction"] == "s3-fifo"
    assert int(info.settings["threads"]) > 0 or info.settings["threads"] == "0"


def test_stats_count_every_call(fresh):
    server, client = fresh
    before = client.Stats(StatsRequest())
    assert (before.entries, before.hits, before.misses, before.evictions, before.expired) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert before.memory_limit_bytes == 128 << 20
    for number in range(10):
        client.Set(SetRequest(key=b"%d" % number, value=b"v"))
    for number in range(15):
        client.Get(GetRequest(key=b"%d" % number))
    with pytest.raises(grpc.RpcError):
        client.Get(GetRequest(key=b""))
    with pytest.raises(grpc.RpcError):
        client.Incr(IncrRequest(key=b"0"))
    after = client.Stats(StatsRequest())
    assert (after.entries, after.hits, after.misses) == (10, 10, 5)
    assert after.calls_ok["Set"] == 10 and after.calls_ok["Get"] == 15
    assert after.calls_failed["Get"] == 1 and after.calls_failed["Incr"] == 1
    assert after.inflight_requests == 1, "this call itself"
    assert after.connections == 1
    assert set(after.memory_bytes) == {"slots", "blocks", "table", "eviction"}
    assert 0 < sum(after.memory_bytes.values()) <= after.memory_limit_bytes


def test_stats_report_each_method(fresh):
    _, client = fresh
    entries = [SetRequest(key=b"%d" % number, value=b"v" * 100) for number in range(10)]
    client.MSet(MSetRequest(entries=entries))
    client.MGet(MGetRequest(keys=[b"%d" % number for number in range(30)]))
    client.Get(GetRequest(key=b"0"))
    client.Touch(TouchRequest(key=b"0"))
    client.Exists(ExistsRequest(keys=[b"0", b"x", b"y"]))
    client.Incr(IncrRequest(key=b"n"))
    client.MDelete(MDeleteRequest(keys=[b"1", b"x"]))
    assert len(scan_all(client, ScanRequest())) == 10
    operations = [
        Operation(get=GetRequest(key=b"0")),
        Operation(set=SetRequest(key=b"0", value=b"w")),
        Operation(incr=IncrRequest(key=b"n")),
    ]
    list(client.Pipeline(iter([PipelineRequest(operations=operations)] * 2)))
    with pytest.raises(grpc.RpcError):
        client.Get(GetRequest(key=b""))

    # Bytes and messages are counted once the reply is under way, so the client may be faster.
    stats = eventually(
        lambda: {m.method: m for m in client.Stats(StatsRequest()).methods},
        lambda m: m["Pipeline"].calls_ok == 1 and m["MDelete"].bytes_sent > 0,
        "every byte is counted",
    )
    keys = {name: (m.keys_read, m.keys_written) for name, m in stats.items()}
    assert keys["MSet"] == (0, 10) and keys["MGet"] == (30, 0) and keys["Get"] == (1, 0)
    assert keys["Touch"] == (1, 0) and keys["Exists"] == (3, 0) and keys["Scan"] == (10, 0)
    assert keys["Incr"] == (0, 1) and keys["MDelete"] == (0, 2) and keys["Flush"] == (0, 0)
    assert keys["Pipeline"] == (2, 4)
    frames = stats["Pipeline"]
    assert frames.calls_ok == 1 and sum(frames.latency_counts) == 2, "one stream, two frames"
    request = MSetRequest(entries=entries)
    assert stats["MSet"].bytes_received == request.ByteSize()
    assert stats["MGet"].bytes_sent > 10 * 100 and stats["MSet"].bytes_sent > 0
    get = stats["Get"]
    assert (get.calls_started, get.calls_ok, get.calls_failed) == (2, 1, 1)
    assert sum(get.latency_counts) == 2
    assert stats["Set"].calls_started == 0 and sum(stats["Set"].latency_counts) == 0


def test_latency_buckets_have_ascending_bounds_and_an_open_end(fresh):
    _, client = fresh
    stats = client.Stats(StatsRequest())
    bounds = list(stats.latency_bounds_us)
    assert bounds == sorted(set(bounds)) and bounds[0] > 0
    assert all(len(method.latency_counts) == len(bounds) + 1 for method in stats.methods)
    assert {method.method for method in stats.methods} == set(stats.calls_ok)
    names = [(method.service, method.method) for method in stats.methods]
    assert len(set(names)) == len(names) and ("ferrite.v1.AdminService", "Stats") in names
    assert stats.uptime_ms <= client.Stats(StatsRequest()).uptime_ms


def test_stats_count_large_values_as_blocks(fresh):
    _, client = fresh
    before = client.Stats(StatsRequest()).memory_bytes["blocks"]
    client.Set(SetRequest(key=b"large", value=b"v" * (1 << 20)))
    assert client.Stats(StatsRequest()).memory_bytes["blocks"] - before >= 1 << 20
    client.Flush(FlushRequest())
    assert client.Stats(StatsRequest()).memory_bytes["blocks"] == before


def test_stats_do_not_count_expired_keys(fresh):
    _, client = fresh
    client.Set(SetRequest(key=b"k", ttl_ms=1))
    stats = eventually(
        lambda: client.Stats(StatsRequest()), lambda s: s.expired == 1, "the entry is reclaimed"
    )
    assert stats.entries == 0


def test_flush_deletes_everything_and_reports_how_many(fresh):
    _, client = fresh
    for batch in range(5):
        entries = [SetRequest(key=b"%d-%d" % (batch, n), value=b"v") for n in range(1000)]
        client.MSet(MSetRequest(entries=entries))
    version = client.Get(GetRequest(key=b"0-0")).version
    assert client.Flush(FlushRequest()).deleted == 5000
    assert client.Stats(StatsRequest()).entries == 0
    assert scan_all(client, ScanRequest()) == []
    assert not client.Get(GetRequest(key=b"0-0")).found
    assert client.Flush(FlushRequest()).deleted == 0
    assert (
        client.Set(SetRequest(key=b"0-0", value=b"v")).version > version
    ), "versions keep growing after a flush"
