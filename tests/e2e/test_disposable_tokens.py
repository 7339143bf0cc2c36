"""Tokens that a server gives out for a part of the caller's rights, and what becomes of them."""

import base64
import json
import time

import grpc
import pytest
from cache_client import failure_from
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from eventually import eventually
from exposition import scrape
from ferrite.v1 import admin_pb2
from ferrite.v1.admin_pb2 import CanRequest, IssueTokenRequest, StatsRequest, WhoAmIRequest
from ferrite.v1.cache_pb2 import GetRequest, PublishRequest, ScanRequest, SetRequest
from issuer import encoded, part
from policy import SCRAPES, client_of, policy, replace
from policy import token as secret_of
from server_process import ServerProcess, refusal_of
from subscriber import Subscriber

ROLES = {
    **SCRAPES,
    "own": {"key_prefixes": ["own:"], "verbs": ["read", "write", "scan", "subscribe"]},
    "motd": {"keys": ["motd"], "verbs": ["read"]},
    "news": {"channels": ["news"], "channel_prefixes": ["own."], "verbs": ["publish", "subscribe"]},
    "admin": {"verbs": ["admin"]},
    "guest": {"keys": ["motd"], "verbs": ["read"]},
}
BINDINGS = {"token:shop": ["own", "motd", "news", "admin"], "anonymous": ["guest"], "token:scraper": ["scrapes"]}
NOT_ALLOWED, INVALID = "NOT_ALLOWED", "CREDENTIALS_INVALID"


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def new_key():
    return ed25519.Ed25519PrivateKey.generate()


def start(folder, keys, bindings=None):
    (folder / "policy.yaml").write_text(policy(ROLES, bindings or BINDINGS), encoding="utf-8")
    (folder / "token.key").write_text(keys, encoding="ascii")
    return ServerProcess(f"--policy={folder}/policy.yaml", f"--token-key={folder}/token.key")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with start(tmp_path_factory.mktemp("tokens"), private_pem(new_key())) as process:
        yield process


def issue(server, name="shop", **fields):
    with client_of(server, name) as client:
        return client.admin.IssueToken(IssueTokenRequest(**{"ttl_ms": 60_000, **fields}), timeout=30).token


def bearer(server, token):
    return client_of(server, authorization=f"Bearer {token}")


def reason(call, request):
    """Why a call is refused, or None."""
    try:
        call(request)
        return None
    except grpc.RpcError:
        return failure_from(call, request).reason


def test_a_token_allows_what_it_says_and_no_more(server):
    token = issue(server, verbs=["read", "scan"], key_prefixes=[b"own:a"])
    with bearer(server, token) as client:
        assert reason(client.Get, GetRequest(key=b"own:a1")) is None
        assert reason(client.Get, GetRequest(key=b"own:b")) == NOT_ALLOWED
        assert reason(client.Get, GetRequest(key=b"motd")) == NOT_ALLOWED
        assert reason(client.Set, SetRequest(key=b"own:a1", value=b"v")) == NOT_ALLOWED
        assert reason(client.Publish, PublishRequest(channel=b"news", payload=b"p")) == NOT_ALLOWED
        list(client.Scan(ScanRequest(prefix=b"own:a")))
        with pytest.raises(grpc.RpcError):
            list(client.Scan(ScanRequest(prefix=b"own:")))
        # The principal may administer; the token may not.
        assert reason(client.Stats, StatsRequest()) == NOT_ALLOWED


def test_channels(server):
    token = issue(server, verbs=["publish", "subscribe"], channels=[b"news"], channel_prefixes=[b"own.x"])
    with bearer(server, token) as client:
        with Subscriber(client, channels=[b"news", b"own.xy"]) as follows:
            client.Publish(PublishRequest(channel=b"own.xy", payload=b"p"))
            assert follows.next_but_heartbeats().message.payload == b"p"
        assert reason(client.Publish, PublishRequest(channel=b"own.y", payload=b"p")) == NOT_ALLOWED


def test_who_has_one_is_told_so(server):
    with bearer(server, issue(server, verbs=["read"], key_prefixes=[b"own:"])) as client:
        who = client.WhoAmI(WhoAmIRequest())
        assert who.principal == "token:shop" and who.credential == admin_pb2.CREDENTIAL_KIND_DISPOSABLE
        assert 0 < who.expires_at_unix_ms - time.time() * 1000 <= 95_000
        assert client.Can(CanRequest(verb="read", key=b"own:k")).allowed
        for question in (CanRequest(verb="write", key=b"own:k"), CanRequest(verb="admin")):
            answer = client.Can(question)
            assert not answer.allowed and not answer.grants


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"verbs": ["read"], "key_prefixes": [b"other:"]}, NOT_ALLOWED),
        ({"verbs": ["read"], "key_prefixes": [b""]}, NOT_ALLOWED),
        ({"verbs": ["read"], "key_prefixes": [b"motd"]}, NOT_ALLOWED),  # of which one key is allowed
        ({"verbs": ["delete"], "key_prefixes": [b"own:"]}, NOT_ALLOWED),
        ({"verbs": ["publish"], "channel_prefixes": [b"news"]}, NOT_ALLOWED),
        ({"verbs": ["publish"], "channels": [b"other"]}, NOT_ALLOWED),
        ({"verbs": ["admin"], "key_prefixes": [b"own:"]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["read", "metrics"], "key_prefixes": [b"own:"]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["fly"], "key_prefixes": [b"own:"]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": [], "key_prefixes": [b"own:"]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["read"]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["read"], "key_prefixes": [b"own:"] * 33}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["read"], "key_prefixes": [b"own:" + b"k" * 2048]}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["publish"], "key_prefixes": [b"own:"]}, "CONTRADICTION"),
        ({"verbs": ["read"], "key_prefixes": [b"own:"], "channels": [b"news"]}, "CONTRADICTION"),
        ({"verbs": ["publish"], "channels": [b""]}, "CHANNEL_EMPTY"),
        ({"verbs": ["read"], "key_prefixes": [b"own:"], "ttl_ms": 999}, "FIELD_OUT_OF_RANGE"),
        ({"verbs": ["read"], "key_prefixes": [b"own:"], "ttl_ms": 3_600_001}, "FIELD_OUT_OF_RANGE"),
    ],
)
def test_what_nobody_gets(server, fields, expected):
    with client_of(server, "shop") as client:
        request = IssueTokenRequest(**{"ttl_ms": 60_000, **fields})
        assert reason(lambda r: client.admin.IssueToken(r, timeout=30), request) == expected


def test_neither_who_has_such_a_token_nor_nobody_hands_on(server):
    token = issue(server, verbs=["read"], key_prefixes=[b"own:"])
    request = IssueTokenRequest(verbs=["read"], key_prefixes=[b"own:a"], ttl_ms=1000)
    with bearer(server, token) as client, client_of(server) as anonymous:
        assert reason(client.admin.IssueToken, request) == NOT_ALLOWED
        assert reason(anonymous.admin.IssueToken, request) == "CREDENTIALS_MISSING"


def test_a_token_that_somebody_has_changed(server):
    token = issue(server, verbs=["read"], key_prefixes=[b"own:"])
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["may"]["verbs"].append("write")
    bad = [f"{header}.{part(claims)}.{signature}", f"{header}.{payload}.{encoded(bytes(64))}"]
    stranger = new_key()
    text = f"{header}.{part(claims)}"
    bad.append(f"{text}.{encoded(stranger.sign(text.encode()))}")
    for each in bad:
        with bearer(server, each) as client:
            assert reason(client.Get, GetRequest(key=b"own:k")) == INVALID


def loads(server):
    return scrape(server, secret_of("scraper")).total("ferrite_policy_loads_total")


def after(server, change):
    before = loads(server)
    change()
    eventually(lambda: loads(server), lambda now: now > before, "nothing was read again")


def test_a_token_loses_what_its_principal_loses(tmp_path):
    with start(tmp_path, private_pem(new_key())) as server:
        token = issue(server, verbs=["read", "write"], key_prefixes=[b"own:"])
        with bearer(server, token) as client:
            client.Set(SetRequest(key=b"own:k", value=b"v"))
            less = {**ROLES, "own": {"key_prefixes": ["own:k"], "verbs": ["read"]}}
            after(server, lambda: replace(tmp_path / "policy.yaml", policy(less, BINDINGS)))
            assert client.Get(GetRequest(key=b"own:k")).value == b"v"
            assert reason(client.Get, GetRequest(key=b"own:other")) == NOT_ALLOWED
            assert reason(client.Set, SetRequest(key=b"own:k", value=b"w")) == NOT_ALLOWED
            gone = {name: roles for name, roles in BINDINGS.items() if name != "token:shop"}
            after(server, lambda: replace(tmp_path / "policy.yaml", policy(ROLES, gone)))
            assert reason(client.Get, GetRequest(key=b"own:k")) == NOT_ALLOWED


def test_a_change_of_keys(tmp_path):
    old, new = new_key(), new_key()
    with start(tmp_path, private_pem(old)) as server:
        by_old = issue(server, verbs=["read"], key_prefixes=[b"own:"])

        def outcome(token):
            with bearer(server, token) as client:
                return reason(client.Get, GetRequest(key=b"own:k"))

        # The new key signs, and the old one is still believed, be it by its public part alone.
        after(server, lambda: replace(tmp_path / "token.key", private_pem(new) + public_pem(old)))
        by_new = issue(server, verbs=["read"], key_prefixes=[b"own:"])
        assert (outcome(by_old), outcome(by_new)) == (None, None)
        after(server, lambda: replace(tmp_path / "token.key", private_pem(new)))
        assert (outcome(by_old), outcome(by_new)) == (INVALID, None)
        # As another node of the same cluster would.
        after(server, lambda: replace(tmp_path / "token.key", private_pem(old) + private_pem(new)))
        assert (outcome(by_old), outcome(by_new)) == (None, None)
        after(server, lambda: replace(tmp_path / "token.key", "nonsense"))
        assert "token.key: there is no private key in it" in server.log()
        assert outcome(by_new) is None


def test_a_server_without_a_key_gives_out_none(tmp_path):
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    request = IssueTokenRequest(verbs=["read"], key_prefixes=[b"own:"], ttl_ms=1000)
    with ServerProcess(f"--policy={tmp_path}/policy.yaml") as server, client_of(server, "shop") as client:
        assert reason(client.admin.IssueToken, request) == "NO_TOKEN_KEY"


@pytest.mark.parametrize(
    "keys, complaint",
    [
        ("", "there is no private key in it"),
        (public_pem(new_key()), "there is no private key in it"),
        (private_pem(ec.generate_private_key(ec.SECP256R1())), "is no private or public key of Ed25519"),
        (private_pem(new_key()).replace("\nM", "\nN"), "key 0 (from 0)"),
        (private_pem(new_key()) * 17, "more than 16 keys"),
    ],
)
def test_a_key_file_that_keeps_a_server_from_starting(tmp_path, keys, complaint):
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    (tmp_path / "token.key").write_text(keys, encoding="ascii")
    flags = f"--policy={tmp_path}/policy.yaml", "--listen=127.0.0.1:0", "--http-listen="
    code, _, log = refusal_of(*flags, f"--token-key={tmp_path}/token.key")
    assert code == 1 and "token.key" in log and complaint in log, log


def test_a_key_without_a_policy():
    code, _, log = refusal_of("--token-key=token.key", "--listen=127.0.0.1:0")
    assert code == 2 and "token-key" in log and "policy" in log, log
