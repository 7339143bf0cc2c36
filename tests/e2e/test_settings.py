"""Flags and environment: valid settings take effect, and invalid ones are refused clearly."""

import json

import grpc
import pytest
from cache_client import CacheClient, failure_from
from ferrite.v1.admin_pb2 import InfoRequest, StatsRequest
from ferrite.v1.cache_pb2 import ExistsRequest
from http2_connection import Http2Connection
from server_process import ServerProcess, refusal_of, start_server

BAD_VALUES = [
    ("listen", "nonsense"),
    ("listen", "127.0.0.1:99999"),
    ("listen", ""),
    ("http-listen", "127.0.0.1:http"),
    ("max-memory", "bogus"),
    ("max-memory", "-1"),
    ("max-memory", "101%"),
    ("max-memory", "12XB"),
    ("max-memory", "1 GiB"),
    ("max-memory", ""),
    ("max-memory", "99999999999999999999GiB"),
    ("eviction", "lru"),
    ("eviction", ""),
    ("shards", "-1"),
    ("shards", "many"),
    ("shards", "1.5"),
    ("threads", "-1"),
    ("threads", "x"),
    ("max-value-bytes", "0x10"),
    ("max-value-bytes", "-5"),
    ("max-value-bytes", "0"),
    ("request-window-bytes", "much"),
    ("max-connections", "none"),
    ("shutdown-grace", "10"),
    ("shutdown-grace", "-1s"),
    ("shutdown-grace", "soon"),
    ("shutdown-grace", "inf"),
    ("max-connection-age", "100000h"),
    ("log-format", "xml"),
    ("log-level", "loud"),
]


def assert_refusal(refusal, *named):
    """Exit code 2, nothing on stdout, and one line on stderr that names everything in `named`."""
    code, out, err = refusal
    assert (code, out) == (2, ""), refusal
    assert err.endswith("\n") and err.count("\n") == 1, f"one line expected: {err!r}"
    for name in named:
        assert name in err, f"{name!r} is not named in {err!r}"


@pytest.mark.parametrize("flag,value", BAD_VALUES)
def test_a_bad_value_is_refused(flag, value):
    assert_refusal(refusal_of(f"--{flag}={value}"), flag)


@pytest.mark.parametrize("flag,value", BAD_VALUES)
def test_a_bad_value_in_the_environment_is_blamed_on_the_variable(flag, value):
    name = "FERRITE_" + flag.upper().replace("-", "_")
    refusal = refusal_of(env={name: value})
    assert_refusal(refusal, name, value)
    assert f"--{flag}" not in refusal[2]


def test_an_unknown_flag_is_refused():
    assert_refusal(refusal_of("--no-such-flag=1"), "no-such-flag")
    assert_refusal(refusal_of("--no-such-flag"), "no-such-flag")
    assert_refusal(refusal_of("--max-memroy=1GiB"), "did you mean --max-memory?")


def test_an_unknown_variable_is_refused():
    refusal = refusal_of(env={"FERRITE_MAX_MEMROY": "1GiB"})
    assert_refusal(refusal, "FERRITE_MAX_MEMROY", "did you mean FERRITE_MAX_MEMORY?")


def test_variables_of_others_do_no_harm():
    env = {
        "FERRITE_SERVER": "cache:6380",
        "FERRITE_SERVICE_HOST": "10.0.0.1",
        "FERRITE_SERVICE_PORT_GRPC": "6380",
        "FERRITE_PORT": "tcp://10.0.0.1:6380",
        "FERRITE_PORT_6380_TCP_ADDR": "10.0.0.1",
    }
    assert settings_of(env=env)[0]["eviction"] == "s3-fifo"


CONTRADICTIONS = [
    ({"max-value-bytes": "64MiB", "max-memory": "16MiB"}),
    ({"max-inflight-bytes": "1MiB", "max-value-bytes": "1MiB"}),
    ({"subscriber-queue-bytes": "2MiB", "subscriber-total-bytes": "1MiB"}),
    ({"shards": "4096", "max-memory": "64MiB"}),
    ({"listen": "127.0.0.1:7001", "http-listen": "127.0.0.1:7001"}),
]


@pytest.mark.parametrize("settings", CONTRADICTIONS)
def test_settings_that_contradict_are_refused_with_both_names(settings):
    # The last ones count, and so stand for the ports that the tests' servers have.
    flags = [f"--{name}={value}" for name, value in settings.items()]
    assert_refusal(refusal_of(*flags), *[f"--{name}" for name in settings])
    env = {f"FERRITE_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    assert_refusal(refusal_of(env=env), *env)


def test_of_a_flag_that_is_given_twice_the_last_one_counts():
    assert settings_of("--max-memory=64MiB", "--max-memory=96MiB")[1].memory_limit_bytes == 96 << 20


@pytest.mark.parametrize("amount", ["64Mi", "64mb", "65536k", "0.0625GiB", "67108864"])
def test_amounts_are_understood_as_people_write_them(amount):
    assert settings_of(f"--max-memory={amount}")[1].memory_limit_bytes == 64 << 20


def test_help_may_be_asked_for_anywhere():
    for flags in (["--help"], ["--max-memory=1g", "--help"]):
        process = start_server(*flags)
        out, _ = process.communicate()
        assert process.returncode == 0 and b"--max-memory" in out


def test_a_stray_argument_is_refused():
    assert_refusal(refusal_of("stray"), "stray")


def settings_of(*flags, env=None):
    with ServerProcess(*flags, env=env) as server, CacheClient(server.grpc_address) as client:
        return dict(client.Info(InfoRequest()).settings), client.Stats(StatsRequest())


def test_flags_take_effect():
    settings, stats = settings_of(
        "--max-memory=64MiB", "--eviction=noeviction", "--threads=2", "--shards=4"
    )
    assert (
        settings["eviction"] == "noeviction"
        and settings["threads"] == "2"
        and settings["shards"] == "4"
    )
    assert stats.memory_limit_bytes == 64 << 20


def test_the_environment_takes_effect_and_a_flag_overrides_it():
    env = {"FERRITE_MAX_MEMORY": "96MiB", "FERRITE_EVICTION": "noeviction"}
    settings, stats = settings_of("--eviction=s3-fifo", env=env)
    assert settings["eviction"] == "s3-fifo"
    assert stats.memory_limit_bytes == 96 << 20


def test_memory_may_be_unlimited_or_a_share_of_the_machine():
    assert settings_of("--max-memory=0")[1].memory_limit_bytes == 0
    quarter = settings_of("--max-memory=25%")[1].memory_limit_bytes
    half = settings_of("--max-memory=50%")[1].memory_limit_bytes
    assert 0 < quarter < half and abs(half - 2 * quarter) < half // 100


def test_settings_are_logged_at_start():
    with ServerProcess("--max-memory=64MiB", "--log-format=json") as server:
        pass
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert lines, "nothing was logged"
    assert any("max-memory" in json.dumps(line) for line in lines)


def test_the_json_log_stays_json_whatever_clients_do():
    with ServerProcess("--log-format=json", "--log-level=debug") as server:
        with CacheClient(server.grpc_address) as client:
            request = ExistsRequest(keys=[b"k"])
            # What does not get smaller is sent as it is.
            large = ExistsRequest(keys=[b"k" * 1000])
            failure_from(client.Exists, large, compression=grpc.Compression.Gzip)
            with Http2Connection(server.grpc_address) as connection:
                connection.socket.sendall(b"garbage" * 100)
            for _ in range(20):
                Http2Connection(server.grpc_address).reset()
            client.Exists(request)
    for line in server.log().splitlines():
        try:
            json.loads(line)
        except ValueError:
            pytest.fail(f"not JSON: {line}")


def test_the_server_runs_without_http():
    with ServerProcess("--http-listen=") as server, CacheClient(server.grpc_address) as client:
        assert server.http_address == "none"
        assert list(client.Exists(ExistsRequest(keys=[b"k"])).exists) == [False]
