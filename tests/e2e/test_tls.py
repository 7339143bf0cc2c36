"""TLS and mutual TLS: who is served, who is not, and what is counted."""

import socket
import ssl
import threading

import grpc
import health_pb2
import health_pb2_grpc
import pytest
from cache_client import CALL_S, OWN_CONNECTION, CacheClient, failure_from
from certificates import Authority, chain_of, openssl
from eventually import eventually
from exposition import scrape
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from http2_connection import PREFACE
from server_process import HANG_S, ServerProcess, refusal_of

FAILURES = "ferrite_tls_handshake_failures_total"


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="stranger", scope="module")
def made_stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"))


def tls_flags(pair, client_ca=None, *more):
    asked = [f"--tls-client-ca={client_ca.certificate}"] if client_ca else []
    return [f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", *asked, *more]


def tls_channel(server, trusted, own=None, name="localhost"):
    """A channel to the server that trusts `trusted` and shows the certificate `own`."""
    shown = (own.key.read_bytes(), own.certificate.read_bytes()) if own else (None, None)
    credentials = grpc.ssl_channel_credentials(trusted.certificate.read_bytes(), *shown)
    options = [*OWN_CONNECTION, ("grpc.ssl_target_name_override", name)]
    return grpc.secure_channel(server.grpc_address, credentials, options)


def get(channel):
    stub = cache_pb2_grpc.CacheServiceStub(channel)
    return stub.Get(cache_pb2.GetRequest(key=b"absent"), timeout=CALL_S).found


def is_served(server, trusted, own=None, name="localhost"):
    with tls_channel(server, trusted, own, name) as channel:
        try:
            return get(channel) is False
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return False


def failures(server):
    return {dict(labels)["reason"]: int(count) for labels, count in scrape(server).of(FAILURES).items() if count}


def await_failure(server, reason):
    eventually(lambda: failures(server), lambda seen: seen.get(reason), f"no handshake failed for {reason}")


def handshake(server, context):
    """Makes a TLS connection to the server as this context says, and reads what comes first."""
    host, _, port = server.grpc_address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(PREFACE + b"\0\0\0\4\0\0\0\0\0")
            assert connection.recv(9)[3] == 4, "SETTINGS should come first"
            return connection.version(), connection.getpeercert()


def context_for(authority):
    context = ssl.create_default_context(cafile=authority.certificate)
    context.set_alpn_protocols(["h2"])
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_is_spoken(authority, version):
    with ServerProcess(*tls_flags(authority.issue())) as server:
        context = context_for(authority)
        context.minimum_version = context.maximum_version = version
        assert handshake(server, context)[0] == version.name.replace("_", ".")
        assert is_served(server, authority)
        assert not failures(server)
        assert "serves gRPC over TLS" in server.log()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_refused(authority):
    with ServerProcess(*tls_flags(authority.issue())) as server:
        context = context_for(authority)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError):
            handshake(server, context)
        await_failure(server, "version")


def test_who_shows_no_certificate_is_refused(authority, stranger):
    with ServerProcess(*tls_flags(authority.issue(), stranger)) as server:
        assert is_served(server, authority, stranger.issue("URI:spiffe://test/app"))
        assert not is_served(server, authority)
        await_failure(server, "no_certificate")
        assert "failed: peer did not return a certificate" in server.log()
        metrics = scrape(server)
        assert metrics.total("ferrite_tls_handshakes_total") == 1
        assert metrics.total("ferrite_tls_handshakes_in_progress") == 0


@pytest.mark.parametrize("asked, unnamed_is_served", [("require", False), ("optional", True)])
def test_certificates_of_clients_are_checked(tmp_path, authority, stranger, asked, unnamed_is_served):
    flags = tls_flags(authority.issue(), authority, f"--tls-client-auth={asked}")
    with ServerProcess(*flags) as server:
        assert is_served(server, authority, authority.issue())
        assert is_served(server, authority) == unnamed_is_served
        own = Authority(tmp_path).pair  # self-signed
        for bad, reason in [
            (stranger.issue(), "untrusted_certificate"),
            (own, "untrusted_certificate"),
            (authority.issue(from_days=-2, until_days=-1), "expired_certificate"),
            (authority.issue(from_days=1, until_days=2), "expired_certificate"),
            (authority.issue(usage="serverAuth"), "untrusted_certificate"),
        ]:
            before = failures(server).get(reason, 0)
            assert not is_served(server, authority, bad)
            eventually(lambda: failures(server).get(reason, 0), lambda seen: seen > before, f"{reason} is not counted")


def test_clients_check_the_server(authority, stranger):
    with ServerProcess(*tls_flags(authority.issue("DNS:cache.test"))) as server:
        assert is_served(server, authority, name="cache.test")
        assert not is_served(server, authority, name="other.test")
        assert not is_served(server, stranger, name="cache.test")
        await_failure(server, "left")  # gRPC's client does not say why
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(server, context_for(stranger))
        await_failure(server, "refused")


def test_who_speaks_no_tls_is_refused(authority):
    with ServerProcess(*tls_flags(authority.issue())) as server:
        with CacheClient(server.grpc_address) as client, pytest.raises(grpc.RpcError):
            client.Get(cache_pb2.GetRequest(key=b"k"))
        await_failure(server, "plaintext")
        assert is_served(server, authority)


def test_a_socket_with_a_file_needs_no_tls(authority, tmp_path):
    path = tmp_path / "socket"
    with ServerProcess(*tls_flags(authority.issue(), authority), listen=f"127.0.0.1:0,unix:{path}") as server:
        with CacheClient(f"unix:{path}") as client:
            assert not client.Get(cache_pb2.GetRequest(key=b"k")).found


def test_an_intermediate_authority_vouches(authority, tmp_path):
    between = Authority(tmp_path, authority)
    pair = between.issue()
    pair = pair._replace(certificate=chain_of(tmp_path, pair.certificate, between.certificate))
    with ServerProcess(*tls_flags(pair)) as server:
        assert is_served(server, authority)


def garbage(folder, size=100):
    path = folder / "garbage"
    path.write_bytes(b"-" * size)
    return path


def locked(folder, pair):
    path = folder / "locked.key"
    openssl("pkey", "-in", pair.key, "-aes256", "-passout", "pass:secret", "-out", path)
    return path


def weak(folder):
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-keyout", folder / "weak.key", "-out", folder / "weak.crt")
    return [f"--tls-cert={folder}/weak.crt", f"--tls-key={folder}/weak.key"]


BAD = {
    "no file": lambda a, d: (["--tls-cert=absent.crt", "--tls-key=absent.key"], "--tls-cert: absent.crt: No such file or directory"),
    "no PEM": lambda a, d: ([f"--tls-cert={garbage(d)}", f"--tls-key={a.issue().key}"], "holds no certificate in PEM"),
    "too large": lambda a, d: ([f"--tls-cert={garbage(d, 2 << 20)}", f"--tls-key={a.issue().key}"], "more than 1048576 bytes"),
    "no key": lambda a, d: ([f"--tls-cert={a.issue().certificate}", f"--tls-key={garbage(d)}"], "holds no private key in PEM"),
    "locked key": lambda a, d: ([f"--tls-cert={a.issue().certificate}", f"--tls-key={locked(d, a.issue())}"], "without a password"),
    "other key": lambda a, d: ([f"--tls-cert={a.issue().certificate}", f"--tls-key={a.issue().key}"], "it is not the key of"),
    "expired": lambda a, d: (tls_flags(a.issue(from_days=-2, until_days=-1)), "it expired at"),
    "too early": lambda a, d: (tls_flags(a.issue(from_days=1)), "it is not valid before"),
    "for clients": lambda a, d: (tls_flags(a.issue(usage="clientAuth")), "it is not for servers"),
    "weak key": lambda a, d: (weak(d), "ee key too small"),
    "chain": lambda a, d: (
        tls_flags(a.issue()._replace(certificate=chain_of(d, a.issue().certificate, a.issue().certificate))),
        "certificate 2 of it did not issue the one before",
    ),
    "client authority": lambda a, d: ([*tls_flags(a.issue()), f"--tls-client-ca={garbage(d)}"], "--tls-client-ca"),
    "expired authority": lambda a, d: (
        [*tls_flags(a.issue()), f"--tls-client-ca={a.issue(from_days=-2, until_days=-1).certificate}"],
        "all of its certificates have expired",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_no_server_starts_with_a_bad_certificate(authority, tmp_path, what):
    flags, why = BAD[what](authority, tmp_path)
    code, out, err = refusal_of(*flags)
    assert (code, out) == (2, "") and err.startswith("ferrite-server: --tls-") and why in err, err


def half_open(server, count):
    host, _, port = server.grpc_address.rpartition(":")
    return [socket.create_connection((host, int(port))) for _ in range(count)]


def in_progress(server):
    return scrape(server).total("ferrite_tls_handshakes_in_progress")


def test_handshakes_that_do_not_end_keep_nobody_out(authority):
    most = 64
    with ServerProcess(*tls_flags(authority.issue(), None, f"--max-handshakes={most}"), open_files=4096) as server:
        waiting = half_open(server, 1000)
        assert is_served(server, authority)

        def after_another():
            assert is_served(server, authority)
            return in_progress(server)

        # Each newcomer displaces some of those that have had their time.
        eventually(after_another, lambda left: left <= most, "handshakes in progress stay above their limit")
        assert failures(server)["displaced"] >= 1000 - most
        assert "--max-handshakes" in server.log()
        for connection in waiting:
            connection.close()
        eventually(lambda: in_progress(server), lambda left: left == 0, "handshakes stay in progress")
        assert is_served(server, authority)


def check(channel):
    return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=CALL_S).status


@pytest.mark.parametrize("asked", [False, True])
def test_a_full_server_says_so_over_tls(authority, asked):
    own = authority.issue() if asked else None
    with ServerProcess(*tls_flags(authority.issue(), authority if asked else None, "--max-connections=1")) as server:
        with tls_channel(server, authority, own) as holder:
            assert not get(holder)
            with tls_channel(server, authority, own) as guest:
                assert check(guest) == health_pb2.HealthCheckResponse.SERVING
                failure = failure_from(cache_pb2_grpc.CacheServiceStub(guest).Get, cache_pb2.GetRequest(key=b"k"), timeout=CALL_S)
                assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED and "--max-connections" in failure.message
            if asked:
                with tls_channel(server, authority) as nobody, pytest.raises(grpc.RpcError) as refused:
                    check(nobody)
                assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            # Who says nothing costs no CPU, and goes after 5 s.
            silent = half_open(server, 4)
            eventually(lambda: scrape(server).total("ferrite_connections_rejected_total"), lambda seen: seen >= 5, "they stay")
            for connection in silent:
                connection.close()


@pytest.mark.parametrize("over_tls", [True, False])
def test_who_never_speaks_is_ended(authority, over_tls):
    with ServerProcess(*(tls_flags(authority.issue()) if over_tls else [])) as server:
        (silent,) = half_open(server, 1)
        silent.settimeout(HANG_S)
        while silent.recv(1 << 12):  # SETTINGS, in plaintext
            pass
        if over_tls:
            await_failure(server, "timeout")


def test_many_who_come_at_once_are_all_served(authority):
    with ServerProcess(*tls_flags(authority.issue(), authority, "--max-handshakes=4")) as server:
        own = authority.issue()
        served = []

        def client():
            served.append(is_served(server, authority, own))

        clients = [threading.Thread(target=client) for _ in range(64)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        assert served == [True] * 64, failures(server)
