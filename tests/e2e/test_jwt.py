"""JSON Web Tokens: which of them say who calls, and for how long."""

import hashlib
import hmac
import json
import time

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cache_client import CALL_S, failure_from, failure_of
from eventually import eventually
from exposition import scrape
from ferrite.v1 import admin_pb2
from ferrite.v1.cache_pb2 import GetRequest, Operation, PipelineRequest
from issuer import AUDIENCE, ISSUER, Key, encoded, key_set, number, part
from policy import client_of, replace
from policy import token as secret_of
from server_process import ServerProcess, refusal_of
from subscriber import Subscriber

ALGORITHMS = ["RS256", "ES256", "EdDSA"]
POLICY = f"""
roles:
- {{name: reads, key_prefixes: [""], channels: [news], verbs: [read, subscribe]}}
- {{name: scrapes, verbs: [metrics]}}
bindings:
- {{principal: "token:scraper", roles: [scrapes]}}
- {{principal: "k8s:system:serviceaccount:shop:web", roles: [reads]}}
tokens:
- {{name: scraper, sha256: "{hashlib.sha256(secret_of("scraper").encode()).hexdigest()}"}}
issuers:
- {{name: k8s, issuer: "{ISSUER}", audience: {AUDIENCE}, jwks_file: keys/jwks.json}}
"""
WEB = "system:serviceaccount:shop:web"


@pytest.fixture(scope="module")
def keys():
    return {algorithm: Key(algorithm, f"of {algorithm}") for algorithm in ALGORITHMS}


def write(folder, *keys):
    (folder / "keys").mkdir(exist_ok=True)
    replace(folder / "keys" / "jwks.json", key_set(*keys))
    if not (folder / "policy.yaml").exists():
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("policy")
    # Others that a key set may have are left out.
    others = [{"kty": "oct", "k": "AAAA", "alg": "HS256"}, keys["RS256"].public(use="enc"),
              keys["RS256"].public(alg="PS256")]
    write(folder, *others, *keys.values())
    with ServerProcess(f"--policy={folder}/policy.yaml") as process:
        yield process


def answer(server, token):
    """What a call with that token comes to: its reason, or None."""
    with client_of(server, authorization=f"Bearer {token}") as client:
        try:
            client.Get(GetRequest(key=b"k"))
            return None
        except grpc.RpcError as error:
            failure = failure_of(error)
            denied = failure.reason == "NOT_ALLOWED"
            assert failure.code == (
                grpc.StatusCode.PERMISSION_DENIED if denied else grpc.StatusCode.UNAUTHENTICATED
            )
            return failure.reason


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token(server, keys, algorithm):
    token = keys[algorithm].token(WEB)
    assert answer(server, token) is None
    assert answer(server, token) is None  # which is known by now
    with client_of(server, authorization=f"Bearer {token}") as client:
        who = client.WhoAmI(admin_pb2.WhoAmIRequest())
    assert who.principal == f"k8s:{WEB}" and list(who.roles) == ["reads"]
    assert who.credential == admin_pb2.CREDENTIAL_KIND_JWT
    assert time.time() * 1000 < who.expires_at_unix_ms < (time.time() + 400) * 1000


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "header, claims, reason",
    [
        ({}, {"aud": ["other", AUDIENCE]}, None),
        ({"kid": None}, {}, None),
        ({"typ": None}, {}, None),
        ({"typ": "at+jwt"}, {}, None),
        ({}, {"exp": time.time() + 300.5}, None),
        ({}, {"exp": 1e300}, None),
        ({}, {"nbf": time.time() + 5}, None),  # within the leeway
        ({}, {"exp": time.time() - 5}, None),
        ({}, {"exp": 1}, "CREDENTIALS_EXPIRED"),
        ({}, {"exp": time.time() - 3600}, "CREDENTIALS_EXPIRED"),
        ({}, {"exp": None}, "CREDENTIALS_INVALID"),
        ({}, {"exp": "2030"}, "CREDENTIALS_INVALID"),
        ({}, {"exp": -1}, "CREDENTIALS_INVALID"),
        ({}, {"nbf": time.time() + 3600}, "CREDENTIALS_INVALID"),
        ({}, {"nbf": "now"}, "CREDENTIALS_INVALID"),
        ({}, {"iss": "https://stranger.example.org"}, "CREDENTIALS_INVALID"),
        ({}, {"iss": None}, "CREDENTIALS_INVALID"),
        ({}, {"aud": "other"}, "CREDENTIALS_INVALID"),
        ({}, {"aud": None}, "CREDENTIALS_INVALID"),
        ({}, {"aud": ["other"]}, "CREDENTIALS_INVALID"),
        ({}, {"aud": {AUDIENCE: 1}}, "CREDENTIALS_INVALID"),
        ({}, {"sub": None}, "CREDENTIALS_INVALID"),
        ({}, {"sub": ""}, "CREDENTIALS_INVALID"),
        ({}, {"sub": 7}, "CREDENTIALS_INVALID"),
        ({}, {"sub": "s" * 2000}, "CREDENTIALS_INVALID"),
        ({}, {"sub": "somebody else"}, "NOT_ALLOWED"),
        ({"kid": "unknown"}, {}, "CREDENTIALS_INVALID"),
        ({"kid": 7}, {}, "CREDENTIALS_INVALID"),
        ({"alg": "none"}, {}, "CREDENTIALS_INVALID"),
        ({"alg": "HS256"}, {}, "CREDENTIALS_INVALID"),
        ({"alg": None}, {}, "CREDENTIALS_INVALID"),
        ({"alg": "rs256"}, {}, "CREDENTIALS_INVALID"),
        ({"typ": "logout+jwt"}, {}, "CREDENTIALS_INVALID"),
        ({"crit": ["exp"]}, {}, "CREDENTIALS_INVALID"),
    ],
)
def test_what_a_token_says(server, keys, algorithm, header, claims, reason):
    assert answer(server, keys[algorithm].token(WEB, header, **claims)) == reason


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_that_is_not_as_it_was_signed(server, keys, algorithm):
    token = keys[algorithm].token(WEB)
    head, payload, signature = token.split(".")
    other = keys[algorithm].token("somebody else").split(".")
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": WEB, "exp": int(time.time()) + 300}
    flipped = ("A" if signature[10] != "A" else "B").join([signature[:10], signature[11:]])
    bad = [
        token[:-1], token[:-4], token[: len(token) // 2], f"{head}.{payload}.", f"{head}.{payload}",
        f"{head}.{other[1]}.{signature}", f"{head}.{payload}.{other[2]}", f"{head}.{payload}.{flipped}",
        f"{part({'alg': 'none'})}.{payload}.", f"{part({'alg': 'none'})}.{payload}.{signature}",
        f"{token}.{signature}", f"{token}=", f" {token}", f"{token} ", token.upper(), "..", "eyJ..",
        f"{encoded(b'[]')}.{payload}.{signature}", f"{head}.{encoded(b'{')}.{signature}",
        f"{part({'alg': algorithm, 'x': [[[[[]]]]] * 500})}.{payload}.{signature}",
        f"{encoded(b'[' * 3000)}.{payload}.{signature}",
        f"{head}.{part(claims)}.{encoded(bytes(64))}", f"{head}.{payload}.{encoded(bytes(256))}",
    ]
    for each in bad:
        assert answer(server, each) == "CREDENTIALS_INVALID", each
    assert answer(server, token) is None


def test_the_public_key_as_a_secret(server, keys):
    """The old confusion: a token that is signed by HMAC with what everybody knows."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": WEB, "exp": int(time.time()) + 300}
    for secret in (keys["RS256"].public_pem(), json.dumps(keys["RS256"].public()).encode()):
        for algorithm in ("HS256", "RS256"):
            text = f"{part({'alg': algorithm, 'kid': 'of RS256'})}.{part(claims)}"
            signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
            assert answer(server, f"{text}.{encoded(signature)}") == "CREDENTIALS_INVALID"


def test_the_key_of_a_stranger(server, keys):
    for algorithm in ALGORITHMS:
        assert answer(server, Key(algorithm, f"of {algorithm}").token(WEB)) == "CREDENTIALS_INVALID"
        # Of another kind, under the name of one that there is.
        for named in ALGORITHMS:
            if named != algorithm:
                token = keys[algorithm].token(WEB, {"kid": f"of {named}", "alg": named})
                assert answer(server, token) == "CREDENTIALS_INVALID"


def serving(folder, *keys):
    """A server that believes these keys."""
    write(folder, *keys)
    return ServerProcess(f"--policy={folder}/policy.yaml")


def left_out(server):
    return scrape(server, secret_of("scraper")).total("ferrite_policy_keys_left_out")


def test_a_token_without_kid_needs_a_set_with_one_key_of_its_algorithm(tmp_path):
    """Each once had the server try all keys that there are."""
    one, other, alone = Key("ES256", "one"), Key("ES256", "other"), Key("EdDSA", "alone")
    with serving(tmp_path, one, other, alone) as server:
        for key in (one, other, alone):
            assert answer(server, key.token(WEB)) is None
        assert answer(server, one.token(WEB, {"kid": None})) == "CREDENTIALS_INVALID"
        assert answer(server, other.token(WEB, {"kid": None})) == "CREDENTIALS_INVALID"
        assert answer(server, alone.token(WEB, {"kid": None})) is None


def test_a_kid_that_is_none_is_no_name_of_a_key_without(tmp_path):
    key = Key("ES256", "key")
    nameless = {name: value for name, value in key.public().items() if name != "kid"}
    with serving(tmp_path, nameless) as server:
        assert answer(server, key.token(WEB, {"kid": None})) is None
        for kid in ("", 7, [], {}):
            assert answer(server, key.token(WEB, {"kid": kid})) == "CREDENTIALS_INVALID"


def test_keys_that_share_a_kid_are_left_out(tmp_path):
    one, other, good = Key("ES256", "same"), Key("ES256", "same"), Key("ES256", "good")
    with serving(tmp_path, one, other, good, good) as server:
        assert answer(server, one.token(WEB)) == "CREDENTIALS_INVALID"
        assert answer(server, other.token(WEB)) == "CREDENTIALS_INVALID"
        assert answer(server, good.token(WEB)) is None
        assert "jwks.json: key 1 (from 0) has the kid of another one" in server.log()
        assert left_out(server) == 1


def test_a_bad_key_does_not_keep_a_stolen_one_in_force(tmp_path):
    stolen, new = Key("ES256", "stolen"), Key("EdDSA", "new")
    bad = [
        1,
        Key("RS256", "weak", 1024).public(),
        Key("RS256", "r").public(e=number(1)),
        Key("RS256", "r").public(e=number(65536)),
        Key("RS256", "r").public(e=number(2**32 + 1)),
        Key("RS256", "r").public(n=number(2**2047)),
        Key("ES256", "e").public(y=encoded(bytes(32))),
        Key("EdDSA", "d").public(d=encoded(bytes(32))),
    ]
    with serving(tmp_path, stolen) as server:
        assert left_out(server) == 0
        before = loads(server)
        write(tmp_path, *bad, new)
        eventually(lambda: loads(server), lambda now: now > before, "the keys did not change")
        assert answer(server, stolen.token(WEB)) == "CREDENTIALS_INVALID"
        assert answer(server, new.token(WEB)) is None
        assert left_out(server) == len(bad)
        assert "key 7 (from 0) is a private one" in server.log()


def test_an_ordinary_exponent_of_three_is_one(tmp_path):
    key = Key("RS256", "three")
    key.private = rsa.generate_private_key(3, 2048)
    with serving(tmp_path, key) as server:
        assert answer(server, key.token(WEB)) is None


def loads(server, outcome="in_force"):
    return scrape(server, secret_of("scraper")).total("ferrite_policy_loads_total", outcome=outcome)


def test_keys_change_by_their_file_alone(tmp_path, keys):
    old, new = Key("ES256", "old"), Key("EdDSA", "new")
    write(tmp_path, old)
    with ServerProcess(f"--policy={tmp_path}/policy.yaml") as server:
        by_old, by_new = old.token(WEB), new.token(WEB)
        assert (answer(server, by_old), answer(server, by_new)) == (None, "CREDENTIALS_INVALID")
        for written, expected in [
            ((old, new), (None, None)),
            ((new,), ("CREDENTIALS_INVALID", None)),
        ]:
            before = loads(server)
            write(tmp_path, *written)
            eventually(lambda: loads(server), lambda now: now > before, "the keys did not change")
            assert (answer(server, by_old), answer(server, by_new)) == expected
        # A bad file keeps the keys before it.
        replace(tmp_path / "keys" / "jwks.json", '{"keys": []}')
        eventually(lambda: loads(server, "refused"), lambda now: now == 1, "it was not refused")
        assert "jwks.json: none of its keys signs" in server.log()
        assert answer(server, by_new) is None


def test_streams_end_with_their_credential(tmp_path):
    key = Key("ES256", "key")
    write(tmp_path, key)
    with ServerProcess(f"--policy={tmp_path}/policy.yaml") as server:
        # It has ended, but for the leeway.
        token = key.token(WEB, exp=time.time() - 28)
        with client_of(server, authorization=f"Bearer {token}") as client:
            get = PipelineRequest(operations=[Operation(get=GetRequest(key=b"k"))])
            frames = iter([get])
            assert next(client.cache.Pipeline(frames, timeout=CALL_S)).results[0].HasField("get")
            with Subscriber(client, channels=[b"news"]) as quiet:
                with pytest.raises(grpc.RpcError) as ended:
                    quiet.next_but_heartbeats()
            assert failure_of(ended.value).reason == "CREDENTIALS_EXPIRED"
            assert failure_from(client.Get, GetRequest(key=b"k")).reason == "CREDENTIALS_EXPIRED"


@pytest.mark.parametrize(
    "jwks, complaint",
    [
        ("", "no JSON Web Key Set"),
        ("[]", "no JSON Web Key Set"),
        ('{"keys": {}}', "no JSON Web Key Set"),
        ('{"keys": [1]}', "key 0 (from 0) is no object"),
        ('{"keys": [{"kty": "oct", "k": "AAAA"}]}', "none of its keys signs"),
        ('{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}', "is broken"),
        ('{"keys": [{"kty": "RSA"}]}', "is broken"),
        ('{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}', "is broken"),
        (json.dumps({"keys": [Key("ES256", "k").public(y=encoded(bytes(32)))]}), "is broken"),
        (json.dumps({"keys": [Key("ES256", "k").public(d=encoded(bytes(32)))]}), "is a private one"),
        (json.dumps({"keys": [Key("RS256", "k", 1024).public()]}), "fewer than 2048"),
        (json.dumps({"keys": [{}] * 257}), "more than 256 keys"),
    ],
)
def test_a_key_set_that_is_none_keeps_a_server_from_starting(tmp_path, jwks, complaint):
    write(tmp_path)
    (tmp_path / "keys" / "jwks.json").write_text(jwks, encoding="utf-8")
    flags = f"--policy={tmp_path}/policy.yaml", "--listen=127.0.0.1:0", "--http-listen="
    code, _, log = refusal_of(*flags)
    assert code == 1 and "keys/jwks.json" in log and complaint in log, log
