"""Whom a server takes its callers for: by certificates, tokens, and what docs/security.md tells to do."""

import pathlib
import re
import subprocess

import grpc
import pytest
from cache_client import CALL_S, OWN_CONNECTION, failure_of
from certificates import Authority
from ferrite.v1 import admin_pb2, admin_pb2_grpc, cache_pb2, cache_pb2_grpc
from policy import client_of, policy, token
from server_process import ServerProcess

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "security.md"
ROLES = {
    "a": {"key_prefixes": ["a:"], "verbs": ["read"]},
    "b": {"key_prefixes": ["b:"], "verbs": ["read"]},
    "admin": {"verbs": ["admin"]},
}
BINDINGS = {
    "uri:spiffe://example.org/shop": ["a"],
    "dns:web.example.org": ["b"],
    "token:b": ["b"],
    "token:operator": ["admin"],
}


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="server", scope="module")
def served(authority, tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    own = authority.issue()
    with ServerProcess(
        f"--policy={file}",
        f"--tls-cert={own.certificate}",
        f"--tls-key={own.key}",
        f"--tls-client-ca={authority.certificate}",
        "--tls-client-auth=optional",
    ) as process:
        yield process


def who_am_i(server, authority, san=None, bearer=None):
    """What the server says, and which of the keys a: and b: may be read."""
    own = authority.issue(san) if san else None
    shown = (own.key.read_bytes(), own.certificate.read_bytes()) if own else (None, None)
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), *shown)
    metadata = [("authorization", f"Bearer {token(bearer)}")] if bearer else []
    options = [*OWN_CONNECTION, ("grpc.ssl_target_name_override", "localhost")]
    with grpc.secure_channel(server.grpc_address, credentials, options) as channel:
        who = admin_pb2_grpc.AdminServiceStub(channel).WhoAmI(
            admin_pb2.WhoAmIRequest(), timeout=CALL_S, metadata=metadata
        )
        readable = ""
        for key in ("a:", "b:"):
            try:
                cache_pb2_grpc.CacheServiceStub(channel).Get(
                    cache_pb2.GetRequest(key=key.encode()), timeout=CALL_S, metadata=metadata
                )
                readable += key
            except grpc.RpcError as error:
                assert failure_of(error).reason in ("NOT_ALLOWED", "CREDENTIALS_MISSING"), error
        return who.principal, admin_pb2.CredentialKind.Name(who.credential)[16:], readable


@pytest.mark.parametrize(
    "san, bearer, principal, kind, readable",
    [
        ("URI:spiffe://example.org/shop", None, "uri:spiffe://example.org/shop", "CERTIFICATE", "a:"),
        ("DNS:web.example.org", None, "dns:web.example.org", "CERTIFICATE", "b:"),
        # A URI goes before a name, and what is bound before what is not.
        ("DNS:web.example.org,URI:spiffe://example.org/shop", None, "uri:spiffe://example.org/shop", "CERTIFICATE", "a:"),
        ("DNS:web.example.org,URI:spiffe://example.org/other", None, "dns:web.example.org", "CERTIFICATE", "b:"),
        ("DNS:unknown.example.org,DNS:web.example.org", None, "dns:web.example.org", "CERTIFICATE", "b:"),
        ("DNS:unknown.example.org", None, "dns:unknown.example.org", "CERTIFICATE", ""),
        # A name says nothing of its kind.
        ("DNS:token:b", None, "dns:token:b", "CERTIFICATE", ""),
        ("URI:spiffe://example.org/shop", "b", "uri:spiffe://example.org/shop", "CERTIFICATE", "a:"),
        (None, "b", "token:b", "TOKEN", "b:"),
        (None, None, "anonymous", "NONE", ""),
    ],
)
def test_who_calls(server, authority, san, bearer, principal, kind, readable):
    assert who_am_i(server, authority, san, bearer) == (principal, kind, readable)


def test_the_example_of_the_document(tmp_path):
    """It is a policy, and the token that is made as it says is one."""
    text = DOCUMENT.read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(roles:.*?)```", text, re.DOTALL)[1]
    commands = re.search(r"```\n(head -c 32 .*?)```", text, re.DOTALL)[1]
    digest = subprocess.run(
        ["sh", "-ec", commands], cwd=tmp_path, capture_output=True, check=True, text=True
    ).stdout.split()[0]
    example, count = re.subn(r'sha256: "[0-9a-f]{64}"', f'sha256: "{digest}"', example)
    assert count == 1
    (tmp_path / "policy.yaml").write_text(example, encoding="utf-8")
    bearer = (tmp_path / "token").read_text(encoding="ascii")
    with ServerProcess(f"--policy={tmp_path}/policy.yaml") as server:
        with client_of(server, authorization=f"Bearer {bearer}") as client:
            client.Set(cache_pb2.SetRequest(key=b"session:1", value=b"v"))
            assert client.Get(cache_pb2.GetRequest(key=b"session:1")).value == b"v"


def can(client, verb, principal="", **subject):
    request = admin_pb2.CanRequest(verb=verb, principal=principal, **subject)
    return client.Can(request)


def test_can(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    with ServerProcess(f"--policy={file}") as server:
        with client_of(server, "b") as client, client_of(server, "operator") as operator:
            answer = can(client, "read", key=b"b:1")
            assert answer.allowed and answer.principal == "token:b"
            assert [(g.role, g.name, g.is_prefix) for g in answer.grants] == [("b", b"b:", True)]
            for verb, subject in [
                ("write", {"key": b"b:1"}),
                ("read", {"key": b"a:1"}),
                ("read", {"key_prefix": b""}),
                ("publish", {"channel": b"b:1"}),
                ("admin", {}),
            ]:
                answer = can(client, verb, **subject)
                assert not answer.allowed and not answer.grants, f"{verb} {subject}"
            assert can(operator, "admin").allowed
            assert can(operator, "read", "token:b", key=b"b:1").allowed
            assert not can(operator, "read", "token:nobody", key=b"b:1").allowed
            for verb, principal, subject, reason in [
                ("read", "token:operator", {"key": b"b:1"}, "NOT_ALLOWED"),
                ("fly", "", {"key": b"b:1"}, "FIELD_OUT_OF_RANGE"),
                ("read", "", {}, "CONTRADICTION"),
                ("read", "", {"channel": b"c"}, "CONTRADICTION"),
                ("publish", "", {"key": b"c"}, "CONTRADICTION"),
                ("admin", "", {"key": b"c"}, "CONTRADICTION"),
                ("read", "", {"key": b""}, "KEY_EMPTY"),
                ("read", "", {"key": b"k" * 5000}, "KEY_TOO_LARGE"),
            ]:
                with pytest.raises(grpc.RpcError) as refused:
                    can(client, verb, principal, **subject)
                assert failure_of(refused.value).reason == reason, f"{verb} {subject}"


def test_without_a_policy():
    with ServerProcess() as server, client_of(server) as client:
        who = client.WhoAmI(admin_pb2.WhoAmIRequest())
        assert (who.principal, who.has_policy, list(who.roles)) == ("anonymous", False, [])
        assert can(client, "admin").allowed
