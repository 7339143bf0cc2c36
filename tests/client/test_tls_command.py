"""The command `ferrite` over TLS, and what it says when there is something wrong with it."""

import os
import pathlib
import shutil
import subprocess

import pytest
from certificates import Authority
from eventually import eventually
from exposition import scrape
from server_process import HANG_S, ServerProcess

FERRITE = str(pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name("ferrite"))


def run(*arguments, env=None, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
    command = [FERRITE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False, env=clean | (env or {}), **options)


@pytest.fixture(name="authority", scope="module")
def made_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="server", scope="module")
def made_server(authority):
    pair = authority.issue()
    with ServerProcess(f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}") as process:
        yield process


@pytest.fixture(name="strict", scope="module")
def made_strict_server(authority):
    pair = authority.issue()
    flags = (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", f"--tls-client-ca={authority.certificate}")
    with ServerProcess(*flags) as process:
        yield process


def test_flags_and_variables_say_the_same(authority, server):
    at = f"--server={server.grpc_address}"
    assert run(at, "--ca", authority.certificate, "set", "k", "v").stdout == "stored\n"
    assert run("get", "k", env={"FERRITE_SERVER": server.grpc_address, "FERRITE_CA": authority.certificate}).stdout == "v"
    trusted = {"SSL_CERT_FILE": authority.certificate, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": authority.certificate}
    assert run(at, "--tls", "get", "k", env=trusted).stdout == "v"
    assert run(at, "get", "k", env=trusted | {"FERRITE_TLS": "yes"}).stdout == "v"
    maybe = run(at, "get", "k", env={"FERRITE_TLS": "maybe"})
    assert maybe.returncode == 2 and 'FERRITE_TLS: "maybe" is neither yes nor no' in maybe.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("ping",),
        ("info",),
        ("stats",),
        ("top", "--count", "1", "--interval", "100ms"),
        ("cluster", "status"),
        ("scan",),
        ("flush", "--yes"),
        ("bench", "--count", "10", "--keys", "10", "--warmup", "0s"),
        ("bench", "--mode", "auto", "--count", "10", "--keys", "10", "--warmup", "0s"),
        ("bench", "--mode", "pipeline", "--count", "10", "--keys", "10", "--warmup", "0s"),
    ],
)
def test_every_command_speaks_tls(authority, strict, command):
    own = authority.issue()
    done = run("--server", strict.grpc_address, "--ca", authority.certificate, "--cert", own.certificate, "--key", own.key, *command)
    assert done.returncode == 0, done.stderr


def test_lines_of_a_script_share_what_was_read(authority, server):
    done = run("--server", server.grpc_address, "--ca", authority.certificate, "-", input="set a 1\nget a\n")
    assert done.stdout == "stored\n1\n", done.stderr


def test_what_is_renewed_is_shown(authority, tmp_path):
    # The server takes certificates of another authority from now on, and its connections end each second.
    first, second = Authority(tmp_path / "first"), Authority(tmp_path / "second")
    pair, accepted = authority.issue(), tmp_path / "accepted.crt"
    shown = (tmp_path / "own.crt", tmp_path / "own.key")
    shutil.copy(first.certificate, accepted)
    for path, file in zip(first.issue(), shown):
        shutil.copy(path, file)
    flags = (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", f"--tls-client-ca={accepted}", "--max-connection-age=1s")
    with ServerProcess(*flags) as server:
        own = ("--ca", authority.certificate, "--cert", shown[0], "--key", shown[1])
        command = [FERRITE, "--server", server.grpc_address, *map(str, own), "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as script:

            def ask():
                script.stdin.write("incr k\n")
                script.stdin.flush()
                return script.stdout.readline()

            assert ask() == "1\n"
            shutil.copy(second.certificate, accepted)
            renewed = "ferrite_tls_certificate_renewed_total"
            eventually(lambda: scrape(server).total(renewed), lambda seen: seen == 1, "the authority is not taken")
            eventually(ask, lambda said: not said.strip().isdigit(), "the old certificate is still good")
            for path, file in zip(second.issue(), shown):
                shutil.copy(path, file)
            eventually(ask, lambda said: said.strip().isdigit(), "the new certificate is not shown")
            script.stdin.close()


def test_a_socket_with_a_file_needs_no_tls(authority, tmp_path):
    pair, path = authority.issue(), tmp_path / "socket"
    with ServerProcess(f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}", listen=f"unix:{path}"):
        assert run("--server", f"unix:{path}", "--tls", "ping").returncode == 0


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (("--ca", "absent.crt"), "--ca: absent.crt: No such file or directory"),
        (("--ca", os.devnull), f"--ca: {os.devnull}: the file is empty"),
        (("--cert", "absent.crt"), "--cert and --key go together"),
        (("--cert", "absent.crt", "--key", "absent.key"), "--cert: absent.crt: No such file or directory"),
    ],
)
def test_files_are_checked(arguments, complaint):
    done = run(*arguments, "ping")
    assert done.returncode == 2 and complaint in done.stderr, done.stderr


def advice(server, *arguments):
    done = run("--server", server.grpc_address, "--timeout", "2s", *arguments, "get", "k")
    assert done.returncode == 2, done
    return done.stderr


def test_a_server_that_speaks_tls_is_recognized(server, strict):
    for each in (server, strict):
        assert "The server speaks TLS: --tls" in advice(each)


def test_a_server_that_speaks_none_is_recognized():
    with ServerProcess() as plain:
        assert "The server speaks no TLS: leave out --tls" in advice(plain, "--tls")
        assert "Is the server running?" not in advice(plain, "--tls")


def test_nobody_is_no_server():
    done = run("--server", "127.0.0.1:1", "--tls", "get", "k")
    assert "Is the server running?" in done.stderr


@pytest.mark.parametrize("days, said", [({"from_days": -2, "until_days": -1}, "has expired"), ({"from_days": 1}, "is not valid yet")])
def test_a_certificate_out_of_its_time_is_told(authority, days, said):
    pair = authority.issue(**days)
    # No ferrite-server would serve it.
    serve = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-alpn", "h2", "-cert", pair.certificate, "-key", pair.key]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        line = next(line for line in process.stdout if line.startswith("ACCEPT"))
        done = run("--server", line.split()[1], "--ca", authority.certificate, "--timeout", "2s", "get", "k")
        process.kill()
    assert done.returncode == 2 and f"The server's certificate {said}" in done.stderr, done.stderr


def test_an_authority_that_is_not_trusted_is_named(authority, server, tmp_path):
    stranger = Authority(tmp_path)
    assert "--ca FILE names its authority" in advice(server, "--tls")
    said = advice(server, "--ca", stranger.certificate)
    assert f"Its authority is not in --ca {stranger.certificate}." in said


@pytest.mark.parametrize(
    "details, said",
    [
        ({"san": "DNS:cache.test,DNS:other.test"}, "is for cache.test, other.test, not for 127.0.0.1. --tls-name"),
        ({"san": "IP:10.0.0.1"}, "is for no host by name, not for 127.0.0.1"),
    ],
)
def test_a_certificate_of_another_host_is_told(authority, details, said):
    pair = authority.issue(**details)
    with ServerProcess(f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}") as server:
        assert said in advice(server, "--ca", authority.certificate)
        if "cache.test" in said:
            named = ("--ca", authority.certificate, "--tls-name", "cache.test")
            assert run("--server", server.grpc_address, *named, "ping").returncode == 0


def test_who_has_no_certificate_is_told(authority, strict, tmp_path):
    trusting = ("--ca", authority.certificate)
    assert "The server wants a certificate: --cert FILE and --key FILE." in advice(strict, *trusting)

    def showing(pair):
        return (*trusting, "--cert", pair.certificate, "--key", pair.key)

    assert "does not accept the certificate of --cert" in advice(strict, *showing(Authority(tmp_path).issue()))
    assert "The certificate of --cert has expired." in advice(strict, *showing(authority.issue(from_days=-2, until_days=-1)))
    assert "The certificate of --cert is not valid yet" in advice(strict, *showing(authority.issue(from_days=1)))
    mixed = authority.issue()._replace(key=authority.issue().key)
    assert "--key is not its key" in advice(strict, *showing(mixed))
