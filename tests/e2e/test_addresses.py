"""Where a server can be reached: both families of addresses, several at once, Unix domain sockets."""

import os
import signal
import socket
import stat
import subprocess
import tempfile

import pytest
from cache_client import CacheClient
from exposition import http_get
from ferrite.v1.admin_pb2 import SlowLogRequest
from ferrite.v1.cache_pb2 import SetRequest
from server_process import HANG_S, ServerProcess, refusal_of

# Without IPv6, as in many containers.
NO_IPV6 = 'ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$0" "$@"'


def has_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("::1", 0))
            return True
        except OSError:
            return False


def port_of(address):
    return address.rpartition(":")[2]


def loopbacks(port):
    return [f"127.0.0.1:{port}"] + ([f"[::1]:{port}"] if has_ipv6() else [])


def assert_serves(*addresses):
    for address in addresses:
        with CacheClient(address) as client:
            assert client.Set(SetRequest(key=b"k", value=b"v")).stored, address


def cli(*arguments, **environment):
    return subprocess.run(
        [os.environ["FERRITE_CLI_BINARY"], *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )


@pytest.fixture
def folder():
    """Its path is short, as those of Unix domain sockets have to be."""
    with tempfile.TemporaryDirectory(prefix="f") as path:
        yield path


def test_localhost_means_what_the_machine_takes_it_for():
    found = {entry[4][0] for entry in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    with ServerProcess(listen="localhost:0", http_listen="localhost:0") as server:
        for address in loopbacks(port_of(server.grpc_address)):
            if address.rpartition(":")[0].strip("[]") in found:
                assert_serves(address)
        assert http_get(server.http_address, "/readyz")[0] == 200


@pytest.mark.parametrize("host", ["*", "", "[::]"])
def test_every_address_means_both_families(host):
    with ServerProcess("--insecure", listen=f"{host}:0", http_listen=f"{host}:0") as server:
        assert_serves(*loopbacks(port_of(server.grpc_address)))
        for address in loopbacks(port_of(server.http_address)):
            assert http_get(address, "/readyz")[:2] == (200, "ready\n")


def test_http_listens_on_ipv6():
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with ServerProcess(listen="[::1]:0", http_listen="[::1]:0") as server:
        assert server.http_address.startswith("[::1]:")
        assert_serves(server.grpc_address)
        assert http_get(server.http_address, "/healthz")[0] == 200


def test_several_addresses_in_one_flag_and_in_several(folder):
    with ServerProcess(
        f"--listen=unix:{folder}/g",
        f"--http-listen=unix:{folder}/h",
        listen="127.0.0.1:0,127.0.0.2:0",
        http_listen="127.0.0.1:0,127.0.0.2:0",
    ) as server:
        first, second, path = server.grpc_address.split(",")
        assert path == f"unix:{folder}/g"
        assert_serves(first, second, path)
        first, second, _ = server.http_address.split(",")
        assert http_get(first, "/readyz")[0] == http_get(second, "/readyz")[0] == 200


def test_a_unix_domain_socket_serves_grpc_http_and_the_command(folder):
    with ServerProcess(
        "--slowlog-threshold=0", listen=f"unix:{folder}/g", http_listen=f"unix:{folder}/h"
    ) as server:
        assert server.grpc_address == f"unix:{folder}/g"
        assert_serves(server.grpc_address)
        with CacheClient(server.grpc_address) as client:
            calls = client.SlowLog(SlowLogRequest()).calls
            assert calls and all(call.peer == "unix" for call in calls), calls
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{folder}/h")
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        done = cli("--server", f"unix:{folder}/g", "get", "k")
        assert (done.returncode, done.stdout) == (0, "v"), done
        done = cli("bench", "--count", "100", "--warmup", "0s", FERRITE_SERVER=server.grpc_address)
        assert done.returncode == 0, done
        assert "serving" in cli("ping", FERRITE_SERVER=f"unix://{folder}/g").stdout
    assert os.listdir(folder) == [], "the files are gone with the server"


@pytest.mark.parametrize("listen", ["*:{}", ":{}", "0.0.0.0:{}", "[::]:{}", "127.0.0.1:{},*:1"])
def test_the_command_takes_what_the_server_listens_on(listen):
    """As the health check of the image does, which passes on FERRITE_LISTEN."""
    with ServerProcess("--insecure", listen="0.0.0.0:0") as server:
        done = cli("ping", FERRITE_SERVER=listen.format(port_of(server.grpc_address)))
        assert done.returncode == 0 and "serving" in done.stdout, done


def test_the_command_says_which_ports_there_are():
    for address in ("localhost:65536", "localhost:0", "localhost:-1", "localhost:http"):
        done = cli("--server", address, "ping")
        assert done.returncode == 2 and "1 to 65535" in done.stderr, done


def test_an_abstract_socket_has_no_file():
    with ServerProcess(listen=f"unix-abstract:ferrite-{os.getpid()}", http_listen="") as server:
        assert_serves(server.grpc_address)
        assert "serving" in cli("ping", FERRITE_SERVER=server.grpc_address).stdout


def test_the_permissions_of_a_unix_domain_socket(folder):
    for flags, mode in [((), 0o660), (("--unix-socket-mode=0777",), 0o777)]:
        with ServerProcess(*flags, listen=f"unix:{folder}/g"):
            assert stat.S_IMODE(os.stat(f"{folder}/g").st_mode) == mode
    code, out, err = refusal_of("--unix-socket-mode=888")
    assert (code, out) == (2, "") and "--unix-socket-mode" in err and "octal" in err


def test_a_stale_unix_domain_socket_is_replaced_and_a_live_one_is_not(folder):
    path = f"unix:{folder}/g"
    with ServerProcess(listen=path) as killed:
        killed.signal(signal.SIGKILL)
        killed.await_end(-signal.SIGKILL)
    assert os.path.exists(f"{folder}/g")
    with ServerProcess(listen=path) as server:
        code, out, err = refusal_of(f"--listen={path}", "--http-listen=")
        assert (code, out) == (1, "") and path in err and "another process listens" in err
        assert_serves(server.grpc_address)
    with open(f"{folder}/g", "w", encoding="ascii") as file:
        file.write("precious")
    code, out, err = refusal_of(f"--listen={path}", "--http-listen=")
    assert (code, out) == (1, "") and "no socket" in err
    assert os.path.getsize(f"{folder}/g") == len("precious")


def test_a_path_that_is_too_long_is_refused_with_the_limit():
    code, out, err = refusal_of("--listen=unix:/" + "x" * 107)
    assert (code, out) == (2, "") and "--listen" in err and "107" in err


def in_a_network_of_its_own():
    """The command that runs another where IPv6 is off; skips if that is not allowed here."""
    command = ["unshare", "--net", "--", "sh", "-c", NO_IPV6]
    if os.getuid() != 0:
        command.insert(1, "--map-root-user")
    done = subprocess.run([*command, "true"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no network namespace without IPv6 can be made here: {done.stderr.strip()}")
    return command


@pytest.mark.parametrize("host", ["localhost", "*", "[::]", "0.0.0.0,[::]"])
def test_without_ipv6_what_there_is_serves(host):
    listen = ",".join(f"{each}:0" for each in host.split(","))
    with ServerProcess(
        "--insecure", listen=listen, http_listen=listen, inside=in_a_network_of_its_own()
    ) as server:
        inside = ["nsenter", "--target", str(server.pid), "--net", "--"]
        if os.getuid() != 0:
            inside[1:1] = ["--user", "--preserve-credentials"]
        for program in (
            [os.environ["FERRITE_CLI_BINARY"], "--server"],
            ["curl", "--silent", "--fail", "--output", "/dev/null"],
        ):
            http = program[0] == "curl"
            port = port_of((server.http_address if http else server.grpc_address).split(",")[0])
            target = f"127.0.0.1:{port}"
            tail = [f"http://{target}/readyz"] if http else [target, "ping"]
            done = subprocess.run([*inside, *program, *tail], capture_output=True, timeout=HANG_S)
            assert done.returncode == 0, done


def test_an_ipv6_address_alone_needs_ipv6():
    in_a_network_of_its_own()
    with pytest.raises(AssertionError, match=r"cannot listen on \[::1\]:0"):
        ServerProcess(listen="[::1]:0", inside=in_a_network_of_its_own())


def test_what_is_unclear_is_refused():
    for address in ("::1:6380", "6380", "localhost:65536", "unix:", "unix://run/f.sock", "a:1,,b:2"):
        code, out, err = refusal_of(f"--listen={address}", "--http-listen=")
        assert (code, out) == (2, "") and "--listen: " in err, (address, err)
