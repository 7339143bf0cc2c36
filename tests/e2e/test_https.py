"""HTTP over TLS, with the certificate of gRPC, and /metrics for those who may."""

import http.client
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest
from cache_client import failure_from
from certificates import Authority
from eventually import eventually
from exposition import Metrics, http_get, scrape
from ferrite.v1.admin_pb2 import CanRequest
from policy import SCRAPER, SCRAPES, client_of, policy, replace, token
from server_process import HANG_S, ServerProcess
from test_tls import tls_flags
from test_tls_renewal import Volume, named


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def handshake(server, authority, highest=ssl.TLSVersion.TLSv1_3):
    """Asks for /readyz as a client that believes this authority; returns (status, version of TLS, certificate)."""
    context = ssl.create_default_context(cafile=authority.certificate)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = highest
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    host, _, port = server.http_address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, connection.version(), connection.getpeercert()


def names(certificate):
    return {value for kind, value in certificate["subjectAltName"] if kind == "DNS"} - {"localhost"}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_it_is_served_over_tls_1_2_and_1_3_without_a_certificate_of_the_client(authority):
    with ServerProcess(*tls_flags(named(authority, "here"), authority)) as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            status, spoken, certificate = handshake(server, authority, version)
            assert (status, names(certificate)) == (200, {"here"})
            assert spoken == version.name.replace("_", ".")
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(server, authority, ssl.TLSVersion.TLSv1_1)
        assert scrape(server).total("ferrite_tls_certificate_is_current") == 1


def test_plaintext_is_not_answered(authority):
    with ServerProcess(*tls_flags(authority.issue())) as server:
        with pytest.raises((http.client.HTTPException, OSError)):
            http_get(server.http_address, "/healthz")
        assert handshake(server, authority)[0] == 200


def test_a_unix_domain_socket_stays_as_it_is(authority):
    with tempfile.TemporaryDirectory(prefix="f") as folder:
        with ServerProcess(*tls_flags(authority.issue()), http_listen=f"127.0.0.1:0,unix:{folder}/h") as server:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{folder}/h")
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
            assert handshake_at(server, authority) == 200


def handshake_at(server, authority):
    server.http_address = server.http_address.partition(",")[0]
    return handshake(server, authority)[0]


@pytest.mark.parametrize("kind", [("EC", "ec_paramgen_curve:P-384"), ("RSA", "rsa_keygen_bits:2048"), ("ED25519",)])
def test_keys_of_all_kinds_serve(authority, tmp_path, kind):
    key = tmp_path / "key"
    options = [word for option in kind[1:] for word in ("-pkeyopt", option)]
    subprocess.run(["openssl", "genpkey", "-algorithm", kind[0], *options, "-out", key], check=True, capture_output=True)
    with ServerProcess(*tls_flags(authority.issue(key=key))) as server:
        assert handshake(server, authority)[0] == 200


def test_a_key_in_the_older_form_of_openssl_serves(authority, tmp_path):
    """With the parameters of its curve before it, as `openssl ecparam -genkey` writes it."""
    key = tmp_path / "key"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", key], check=True, capture_output=True)
    assert key.read_text(encoding="ascii").startswith("-----BEGIN EC PARAMETERS-----")
    with ServerProcess(*tls_flags(authority.issue(key=key))) as server:
        assert handshake(server, authority)[0] == 200


def test_renewal_loses_no_request(authority, tmp_path):
    volume = Volume(tmp_path)
    volume.put(named(authority, "r0"), authority.certificate)
    with ServerProcess(*volume.flags) as server:
        end, faults, answered = threading.Event(), [], []

        def ask():
            while not end.is_set():
                try:
                    answered.append(handshake(server, authority)[0])
                except OSError as error:
                    faults.append(error)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(1, 5):
            volume.put(named(authority, f"r{number}"), authority.certificate)
            eventually(lambda: names(handshake(server, authority)[2]), lambda seen, number=number: seen == {f"r{number}"},
                       "HTTP does not show the new certificate")
        end.set()
        for thread in threads:
            thread.join()
        assert not faults and set(answered) == {200} and len(answered) > 10, faults[:3]


def test_who_says_nothing_is_displaced_as_without_tls(authority):
    with ServerProcess(*tls_flags(authority.issue())) as server:
        host, _, port = server.http_address.rpartition(":")
        silent = [socket.create_connection((host, int(port)), timeout=HANG_S) for _ in range(40)]
        assert handshake(server, authority)[0] == 200
        displaced = scrape(server).total("ferrite_connections_rejected_total", reason="http_limit")
        assert displaced >= 8
        for each in silent:
            each.close()


@pytest.fixture(name="guarded")
def made_guarded(tmp_path):
    file = tmp_path / "policy.yaml"
    roles = {**SCRAPES, "admin": {"verbs": ["admin"]}}
    file.write_text(policy(roles, {**SCRAPER, "token:operator": ["admin"]}), encoding="utf-8")
    with ServerProcess(f"--policy={file}") as server:
        server.file = file
        yield server


def metrics(server, shown=None):
    status, body, headers = http_get(server.http_address, "/metrics", shown)
    return status, body, headers


def test_metrics_are_for_those_who_have_the_verb(guarded):
    status, body, headers = metrics(guarded)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and "metrics" in body and "ferrite_" not in body
    assert metrics(guarded, "guessed")[0] == 401
    assert metrics(guarded, token("operator"))[0] == 403, "one verb does not include another"
    status, body, _ = metrics(guarded, token("scraper"))
    assert status == 200
    refused = Metrics(body)
    assert refused.total("ferrite_refused_total", reason="credentials_missing") == 1
    assert refused.total("ferrite_refused_total", reason="credentials_invalid") == 1
    assert refused.total("ferrite_refused_total", reason="not_allowed") == 1


def test_who_may_read_them_can_be_asked(guarded):
    for name, allowed in (("scraper", True), ("operator", False)):
        with client_of(guarded, name) as client:
            assert client.Can(CanRequest(verb="metrics")).allowed is allowed
            assert failure_from(client.Can, CanRequest(verb="metrics", key=b"k")).reason == "CONTRADICTION"


def test_two_credentials_are_none(guarded):
    host, _, port = guarded.http_address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=HANG_S) as connection:
        shown = f"Authorization: Bearer {token('scraper')}\r\n".encode()
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + shown + shown + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_probes_need_no_token(guarded):
    for path in ("/healthz", "/readyz"):
        assert http_get(guarded.http_address, path)[0] == 200
    assert http_get(guarded.http_address, "/")[0] == 404


def test_a_change_of_the_policy_counts_from_the_next_request(guarded):
    assert metrics(guarded, token("scraper"))[0] == 200
    replace(guarded.file, policy(SCRAPES, {"token:other": ["scrapes"]}, ["scraper"]))
    eventually(lambda: metrics(guarded, token("scraper"))[0], lambda status: status == 403, "it is still allowed")
    replace(guarded.file, policy(SCRAPES, {"anonymous": ["scrapes"]}))
    eventually(lambda: metrics(guarded)[0], lambda status: status == 200, "it is not allowed")
