"""Ports: the server refuses one that is taken, and its own is free at once when it has ended."""

import socket

from cache_client import CacheClient
from ferrite.v1.cache_pb2 import SetRequest
from server_process import ServerProcess, refusal_of


def port_of(address):
    return address.rpartition(":")[2]


def assert_taken(refusal, address):
    code, out, err = refusal
    assert code != 0 and out == "", refusal
    assert address in err, f"{address} is not named in {err!r}"


def test_a_second_server_does_not_share_the_port():
    with ServerProcess() as first:
        taken = f"127.0.0.1:{port_of(first.grpc_address)}"
        assert_taken(refusal_of(f"--listen={taken}", "--http-listen="), taken)
        with CacheClient(first.grpc_address) as client:
            assert client.Set(SetRequest(key=b"k")).stored, "the first server is not disturbed"


def test_a_taken_http_port_is_refused():
    with ServerProcess() as first:
        taken = f"127.0.0.1:{port_of(first.http_address)}"
        assert_taken(refusal_of("--listen=127.0.0.1:0", f"--http-listen={taken}"), taken)


def test_a_port_taken_by_another_program_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = "127.0.0.1:%d" % other.getsockname()[1]
        assert_taken(refusal_of(f"--listen={taken}", "--http-listen="), taken)
        assert_taken(refusal_of("--listen=127.0.0.1:0", f"--http-listen={taken}"), taken)


def test_an_address_of_another_machine_is_refused():
    # 192.0.2.0/24 is reserved for documentation.
    assert_taken(refusal_of("--insecure", "--listen=192.0.2.1:6380", "--http-listen="), "192.0.2.1:6380")


def test_the_next_server_binds_the_same_ports_at_once():
    ports = {}
    clients = []  # kept open, so that sockets of ended servers still use the ports
    for _ in range(4):
        with ServerProcess(**ports) as server:
            ports["grpc_port"] = port_of(server.grpc_address)
            ports["http_port"] = port_of(server.http_address)
            clients.append(CacheClient(server.grpc_address))
            assert clients[-1].Set(SetRequest(key=b"k"), wait_for_ready=True).stored
    for client in clients:
        client.close()
