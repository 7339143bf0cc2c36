"""Settings that change while the server runs, and what AdminService tells of settings."""

import concurrent.futures
import contextlib
import json

import grpc
import pytest
from cache_client import CacheClient, assert_refused
from eventually import eventually
from exposition import scrape
from ferrite.v1.admin_pb2 import (
    SETTING_SOURCE_CALL,
    SETTING_SOURCE_FLAG,
    GetConfigRequest,
    InfoRequest,
    SetConfigRequest,
    SlowLogRequest,
    StatsRequest,
)
from ferrite.v1.cache_pb2 import ExistsRequest, GetRequest, MSetRequest, SetRequest
from http2_connection import Http2Connection
from server_process import ServerProcess, refusal_of

MIB = 1 << 20


def memory_bytes(client):
    return sum(client.Stats(StatsRequest()).memory_bytes.values())


def fill(client, size, value_bytes=1000):
    """Writes about `size` bytes; returns how many keys."""
    count = size // value_bytes
    for start in range(0, count, 500):
        entries = [
            SetRequest(key=b"%d" % n, value=bytes(value_bytes)) for n in range(start, start + 500)
        ]
        client.MSet(MSetRequest(entries=entries))
    return count


def set_config(client, name, value):
    return client.SetConfig(SetConfigRequest(name=name, value=value))


def setting(client, name):
    return client.GetConfig(GetConfigRequest(names=[name])).settings[0]


def test_less_memory_is_taken_back_while_reads_go_on():
    with ServerProcess("--max-memory=128MiB") as server, CacheClient(server.grpc_address) as client:
        fill(client, 100 * MIB)
        before = memory_bytes(client)
        assert before > 80 * MIB

        def read_until(stop):
            """Reads all the while; every read must be answered."""
            with CacheClient(server.grpc_address) as reader:
                reads = 0
                while not stop.done():
                    reader.Get(GetRequest(key=b"%d" % (reads % 1000)), timeout=10)
                    reads += 1
                return reads

        lowered = concurrent.futures.Future()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            reads = pool.submit(read_until, lowered)
            try:
                reply = set_config(client, "max-memory", "32MiB")
                assert reply.previous_value == "128MiB"
                assert reply.setting.in_force == str(32 * MIB)
                eventually(
                    lambda: memory_bytes(client), lambda held: held <= 34 * MIB, "memory is given back"
                )
            finally:
                lowered.set_result(None)
            assert reads.result() > 0
        stats = client.Stats(StatsRequest())
        assert stats.memory_limit_bytes == 32 * MIB and stats.evictions > 0
        assert stats.entries > 0, "not everything went"
        set_config(client, "max-memory", "128MiB")
        evictions = stats.evictions
        fill(client, 64 * MIB)
        # The sweep may have been in the middle of a step. Without room, some 30,000 would go.
        assert client.Stats(StatsRequest()).evictions < evictions + 1_000, "there is room again"


def test_the_slow_log_and_the_log_level_change():
    with ServerProcess("--slowlog-threshold=off", "--log-format=json") as server:
        with CacheClient(server.grpc_address) as client:
            client.Exists(ExistsRequest(keys=[b"k"]))
            assert not client.SlowLog(SlowLogRequest()).calls
            set_config(client, "slowlog-threshold", "0")
            client.Exists(ExistsRequest(keys=[b"k"]))
            assert "Exists" in [call.method for call in client.SlowLog(SlowLogRequest()).calls]
            set_config(client, "log-level", "error")
            set_config(client, "slowlog-threshold", "1h")
            set_config(client, "log-level", "info")
            set_config(client, "slowlog-threshold", "2h")
    changes = [json.loads(line)["message"] for line in server.log().splitlines()]
    changes = [message for message in changes if "changed from" in message]
    assert any("slowlog-threshold changed from off" in message for message in changes)
    assert any("log-level changed from info" in message for message in changes)
    assert not any("to 1h" in message for message in changes), "the level was error then"
    assert any("to 2h" in message for message in changes)


def test_changes_show_everywhere():
    with ServerProcess("--max-memory=64MiB") as server, CacheClient(server.grpc_address) as client:
        assert setting(client, "max-memory").source == SETTING_SOURCE_FLAG
        set_config(client, "max-memory", "48mb")
        set_config(client, "log-level", "warning")
        changed = setting(client, "max-memory")
        assert (changed.value, changed.in_force) == ("48mb", str(48 * MIB))
        assert changed.source == SETTING_SOURCE_CALL
        assert client.Info(InfoRequest()).settings["max-memory"] == "48mb"
        metrics = scrape(server)
        assert metrics.total("ferrite_memory_limit_bytes") == 48 * MIB
        assert metrics.total("ferrite_config_changes_total", setting="max-memory") == 1
        assert metrics.total("ferrite_config_changes_total", setting="slowlog-threshold") == 0
        assert metrics.total("ferrite_log_level", level="warning") == 1
        assert metrics.total("ferrite_slowlog_threshold_seconds") == 0.01


def test_what_cannot_be_is_refused():
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    with ServerProcess("--max-memory=64MiB", "--max-value-bytes=16MiB") as server:
        with CacheClient(server.grpc_address) as client:
            for name, value, reason, code in [
                ("max-memory", "much", "SETTING_INVALID", invalid),
                ("max-memory", "-1", "SETTING_INVALID", invalid),
                ("max-memory", "1MiB", "SETTING_INVALID", invalid),
                ("max-memory", "24MiB", "SETTING_INVALID", invalid),
                ("max-memory", "", "SETTING_INVALID", invalid),
                ("log-level", "loud", "SETTING_INVALID", invalid),
                ("slowlog-threshold", "10", "SETTING_INVALID", invalid),
                ("max-memroy", "1GiB", "SETTING_UNKNOWN", invalid),
                ("threads", "4", "SETTING_FIXED", grpc.StatusCode.FAILED_PRECONDITION),
            ]:
                request = SetConfigRequest(name=name, value=value)
                assert_refused(reason, client.SetConfig, request, code=code)
            assert setting(client, "max-memory").value == "64MiB"
            assert client.Stats(StatsRequest()).memory_limit_bytes == 64 * MIB


def test_fewer_descriptors_than_connections_are_told_of():
    with ServerProcess("--max-connections=1000", open_files=64) as server:
        with CacheClient(server.grpc_address) as client:
            allowed = int(setting(client, "max-connections").in_force)
            assert 1 < allowed < 64
            warnings = list(client.Info(InfoRequest()).warnings)
            assert len(warnings) == 1 and f"for {allowed} connections only, not for 1000" in warnings[0]
            assert warnings[0] in server.log()
            connections = [Http2Connection(server.grpc_address) for _ in range(allowed + 5)]
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.call("/ferrite.v1.CacheService/Get", GetRequest(key=b"k").SerializeToString())
            rejected = "ferrite_connections_rejected_total"
            eventually(
                lambda: scrape(server).total(rejected, reason="descriptors"),
                lambda count: count > 0,
                "connections are refused for want of descriptors",
            )
            assert scrape(server).total(rejected, reason="limit") == 0
            for connection in connections:
                connection.close()


def test_too_few_descriptors_to_start_are_told_of():
    """Whatever it is that finds none left."""
    for open_files in range(5, 40):
        code, out, err = refusal_of(
            "--listen=127.0.0.1:0", "--http-listen=127.0.0.1:0", open_files=open_files
        )
        if out:
            break  # enough: it was ready
        assert code == 1 and "Too many open files" in err, (open_files, code, err)
    assert out and open_files > 8


@pytest.mark.parametrize("memory", ["8TiB", "0"])
def test_more_memory_than_there_is_is_warned_of(memory):
    with ServerProcess(f"--max-memory={memory}") as server:
        with CacheClient(server.grpc_address) as client:
            info = client.Info(InfoRequest())
            assert any("max-memory" in warning for warning in info.warnings)
            assert info.available_memory_bytes > 0 and info.available_memory_source
    assert "warning" in server.log()
