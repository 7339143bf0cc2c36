"""The audit log: who was denied what, what operators did, and how the policy changed."""

import hashlib
import json
import os
import signal

import grpc
import pytest
from cache_client import failure_from
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from eventually import eventually
from exposition import scrape
from ferrite.v1.admin_pb2 import FlushRequest, IssueTokenRequest, StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, MGetRequest, Operation, PipelineRequest, SetRequest
from policy import SCRAPES, client_of, policy, replace, token
from server_process import ServerProcess, refusal_of
from subscriber import Subscriber

ROLES = {
    **SCRAPES,
    "own": {"key_prefixes": ["own:"], "verbs": ["read", "write"]},
    "admin": {"verbs": ["admin"]},
    "news": {"channels": ["news"], "verbs": ["subscribe"]},
}
BINDINGS = {"token:shop": ["own", "news"], "token:operator": ["admin"], "token:scraper": ["scrapes"]}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def start(folder, *flags):
    (folder / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    return ServerProcess(f"--policy={folder}/policy.yaml", f"--audit-log={folder}/audit.log", *flags)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def told(path, count, **fields):
    """The lines that have these fields, once there are so many."""
    def matching():
        return [line for line in lines(path) if fields.items() <= line.items()]

    return eventually(matching, lambda found: len(found) >= count, f"no such line: {fields}")


def hashed(name):
    return hashlib.sha256(name).hexdigest()[:16]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def server(folder):
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "token.key").write_bytes(key)
    with start(folder, f"--token-key={folder}/token.key") as process:
        yield process


def test_a_denial(server, folder):
    with client_of(server, "shop") as client:
        with pytest.raises(grpc.RpcError):
            client.Get(GetRequest(key=b"secret"), metadata=[("traceparent", TRACE)])
    (line,) = told(folder / "audit.log", 1, name_sha256=hashed(b"secret"))
    assert line.pop("time") and line.pop("peer").startswith("ipv4:127.0.0.1:")
    assert line == {
        "event": "denied", "principal": "token:shop", "credential": "token", "trace": TRACE,
        "method": "ferrite.v1.CacheService/Get", "verbs": "read", "namespace": "default",
        "name_sha256": hashed(b"secret"), "reason": "NOT_ALLOWED",
    }


def test_each_key_of_batches_and_frames(server, folder):
    with client_of(server, "shop") as client:
        client.MGet(MGetRequest(keys=[b"own:1", b"batch:1", b"batch:2"]))
        frame = PipelineRequest(operations=[Operation(set=SetRequest(key=b"frame", value=b"v"))])
        next(client.cache.Pipeline(iter([frame]), timeout=30))
    for name, verb in ((b"batch:1", "read"), (b"batch:2", "read"), (b"frame", "write")):
        (line,) = told(folder / "audit.log", 1, name_sha256=hashed(name))
        assert line["verbs"] == verb
    assert not [line for line in lines(folder / "audit.log") if line.get("name_sha256") == hashed(b"own:1")]


def test_who_shows_nothing_or_something_that_is_none(server, folder):
    with client_of(server) as nobody, client_of(server, authorization="Bearer x") as stranger:
        failure_from(nobody.Get, GetRequest(key=b"of nobody"))
        failure_from(stranger.Get, GetRequest(key=b"of a stranger"))
    told(folder / "audit.log", 1, reason="CREDENTIALS_MISSING", principal="anonymous", credential="none")
    (line,) = told(folder / "audit.log", 1, reason="CREDENTIALS_INVALID")
    assert "principal" not in line and "credential" not in line


def test_what_operators_do(server, folder):
    with client_of(server, "operator") as operator, client_of(server, "shop") as shop:
        operator.Flush(FlushRequest())
        failure_from(shop.Stats, StatsRequest())
        shop.IssueToken(IssueTokenRequest(verbs=["read"], key_prefixes=[b"own:"], ttl_ms=1000))
    told(folder / "audit.log", 1, event="admin_call", method="ferrite.v1.AdminService/Flush", principal="token:operator")
    told(folder / "audit.log", 1, event="denied", method="ferrite.v1.AdminService/Stats", verbs="admin")
    told(folder / "audit.log", 1, event="token_issued", principal="token:shop", verbs="read")


def test_a_change_of_the_policy_and_what_it_ends(tmp_path):
    with start(tmp_path) as server, client_of(server, "shop") as client:
        with Subscriber(client, channels=[b"news"]) as follows:
            replace(tmp_path / "policy.yaml", policy(ROLES, {"token:shop": ["own"]}))
            with pytest.raises(grpc.RpcError):
                follows.next_but_heartbeats()
        told(tmp_path / "audit.log", 1, event="policy_changed", details="4 roles, 1 bindings, 1 tokens")
        told(tmp_path / "audit.log", 1, reason="NO_LONGER_ALLOWED", method="ferrite.v1.CacheService/Subscribe")


def test_a_file_that_is_rotated(tmp_path):
    with start(tmp_path) as server, client_of(server, "shop") as client:
        failure_from(client.Get, GetRequest(key=b"before"))
        told(tmp_path / "audit.log", 1, name_sha256=hashed(b"before"))
        os.rename(tmp_path / "audit.log", tmp_path / "audit.log.1")
        os.kill(server.pid, signal.SIGHUP)
        eventually((tmp_path / "audit.log").exists, bool, "it was not opened anew")
        failure_from(client.Get, GetRequest(key=b"after"))
        told(tmp_path / "audit.log", 1, name_sha256=hashed(b"after"))
        assert {line.get("name_sha256") for line in lines(tmp_path / "audit.log.1")} == {hashed(b"before")}
        assert (tmp_path / "audit.log").stat().st_mode & 0o777 in (0o640, 0o600)


def records(server, outcome):
    return scrape(server, token("scraper")).total("ferrite_audit_records_total", outcome=outcome)


def test_a_flood_is_counted_and_not_written(tmp_path):
    with start(tmp_path) as server, client_of(server, "shop") as client:
        for _ in range(12):
            client.MGet(MGetRequest(keys=[b"own:1", *(b"secret:%d" % number for number in range(1000))]))
        dropped = records(server, "dropped")
        assert dropped > 0
        eventually(lambda: records(server, "written"), lambda now: now + dropped >= 12_000, "lines are missing")
        # What was done is told although there is no room for what was denied.
        with client_of(server, "operator") as operator:
            operator.Stats(StatsRequest())
        told(tmp_path / "audit.log", 1, event="admin_call", method="ferrite.v1.AdminService/Stats")
        # It is told before the next line.
        failure_from(client.Get, GetRequest(key=b"another"))
        eventually(
            lambda: sum(line.get("count", 0) for line in lines(tmp_path / "audit.log") if line["event"] == "dropped"),
            lambda count: count >= dropped, "the file does not say how many were dropped",
        )


def test_what_was_dropped_last_is_told_at_the_end(tmp_path):
    with start(tmp_path) as server, client_of(server, "shop") as client:
        for _ in range(12):
            client.MGet(MGetRequest(keys=[b"own:1", *(b"secret:%d" % number for number in range(1000))]))
    written = lines(tmp_path / "audit.log")
    denied = [line for line in written if line["event"] == "denied"]
    assert len(denied) + sum(line["count"] for line in written if line["event"] == "dropped") == 12_000


def test_a_full_disk_is_counted_and_nobody_waits(tmp_path):
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    with ServerProcess(f"--policy={tmp_path}/policy.yaml", "--audit-log=/dev/full") as server:
        with client_of(server, "shop") as client:
            failure_from(client.Get, GetRequest(key=b"secret"))
            eventually(lambda: records(server, "failed"), lambda now: now == 1, "it was not counted")
            client.Set(SetRequest(key=b"own:k", value=b"v"))
            assert "/dev/full: No space left on device" in server.log()


def test_the_log_of_the_server(tmp_path):
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    with ServerProcess(f"--policy={tmp_path}/policy.yaml", "--audit-log=-") as server:
        with client_of(server, "shop") as client:
            failure_from(client.Get, GetRequest(key=b"secret"))
            eventually(server.log, lambda text: f'"name_sha256":"{hashed(b"secret")}"' in text, "it is not in the log")


def test_a_file_that_cannot_be_opened(tmp_path):
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    flags = f"--policy={tmp_path}/policy.yaml", "--listen=127.0.0.1:0", "--http-listen="
    code, _, log = refusal_of(*flags, f"--audit-log={tmp_path}/nowhere/audit.log")
    assert code == 1 and "nowhere/audit.log: cannot be opened" in log
    code, _, log = refusal_of("--audit-log=audit.log", "--listen=127.0.0.1:0")
    assert code == 2 and "audit-log" in log and "policy" in log
