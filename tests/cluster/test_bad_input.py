"""What nodes do when others have written into their keys of etcd: the real thing, with what nobody should write."""

import base64
import contextlib
import http.client
import json
import socket
import threading

import grpc
import pytest
from cluster_processes import Etcd, Nodes, code_of
from eventually import eventually
from ferrite.v1.cache_pb2 import GetRequest
from test_keys import KEYS

MAP = "/ferrite/test/map"


@pytest.fixture
def nodes():
    with Etcd() as etcd, Nodes(etcd, 2) as two:
        two.etcd = etcd
        two.await_owners()
        yield two


def ask(etcd, what, request):
    """One call of etcd's JSON gateway."""
    connection = http.client.HTTPConnection(etcd.address, timeout=60)
    try:
        connection.request("POST", f"/v3/kv/{what}", json.dumps(request))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)
    finally:
        connection.close()


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def read(etcd, key):
    return base64.b64decode(ask(etcd, "range", {"key": encoded(key)})["kvs"][0].get("value", ""))


def write(etcd, key, value):
    ask(etcd, "put", {"key": encoded(key), "value": encoded(value)})


def remove(etcd, key):
    ask(etcd, "deleterange", {"key": encoded(key)})


def await_problem(node, name):
    return eventually(lambda: next((text for text in node.witness().problems if text.startswith(name)), None), bool,
                      f"{node.id} does not name {name}")


def await_service(nodes):
    for node in nodes.living():
        for key in KEYS[:8]:
            eventually(lambda node=node, key=key: code_of(node.client.Get, GetRequest(key=key)),
                       lambda code: code == grpc.StatusCode.OK, f"{node.id} does not serve {key}")
        eventually(node.witness, lambda witness: not witness.problems, f"{node.id} still complains")


@pytest.mark.parametrize("spoil, problem", [
    (lambda good: b"\xff\xfe garbage", "map_broken"),
    (lambda good: b"", "map_broken"),
    (lambda good: good[:len(good) // 2], "map_broken"),
    (lambda good: good + b"\x12\x06copies", "map_too_new"),  # required_features
    (lambda good: good + b"\x08\x02", "map_too_new"),  # format 2
], ids=["garbage", "empty", "half", "feature", "format"])
def test_by_a_map_that_cannot_be_understood_nobody_serves(nodes, spoil, problem):
    good = read(nodes.etcd, MAP)
    write(nodes.etcd, MAP, spoil(good))
    for node in nodes.living():
        await_problem(node, problem)
        for key in KEYS[:8]:
            eventually(lambda node=node, key=key: code_of(node.client.Get, GetRequest(key=key)),
                       lambda code: code == grpc.StatusCode.UNAVAILABLE, f"{node.id} serves by such a map")
    assert read(nodes.etcd, MAP) == spoil(good)  # nobody has put another in its place
    write(nodes.etcd, MAP, good)
    await_service(nodes)


def test_what_a_newer_version_has_added_to_the_map_stays_there(nodes):
    for node in nodes.living():
        node.kill()
    later = b"\xc2\x3e\x05later"  # field 1000
    before = read(nodes.etcd, MAP)
    write(nodes.etcd, MAP, before + later)
    for node_id in ("n1", "n2", "n3"):
        nodes.start(node_id)
    nodes.await_owners(["n1", "n2", "n3"])
    after = read(nodes.etcd, MAP)
    assert later in after and after != before + later


def test_whoever_changes_a_map_without_a_new_generation_is_not_believed(nodes):
    write(nodes.etcd, MAP, read(nodes.etcd, MAP) + b"\xc2\x3e\x05other")
    for node in nodes.living():
        assert "generation 1 of the cluster's map was changed" in await_problem(node, "foreign")


def test_the_map_of_another_cluster_is_none_of_ours(nodes):
    write(nodes.etcd, MAP, read(nodes.etcd, MAP) + b"\x19" + b"\x01" * 8)  # another cluster_uid
    for node in nodes.living():
        assert "until it is started again" in await_problem(node, "foreign")
        assert code_of(node.client.Get, GetRequest(key=KEYS[0])) == grpc.StatusCode.UNAVAILABLE
        assert node.witness().may_serve_ms == 0


@pytest.mark.parametrize("key", ["nodes/n9", "nodes/odd \x1b[31mname\n", "nodes/", "nodes/" + "n" * 5000, "ceilings/n9"],
                         ids=["plain", "odd", "empty", "long", "ceiling"])
def test_a_record_that_is_garbage_is_no_node(nodes, key):
    write(nodes.etcd, f"/ferrite/test/{key}", b"\xff\x00garbage")
    if key.startswith("nodes/"):
        text = await_problem(nodes["n1"], "record_broken")
        assert "\x1b" not in text and "\n" not in text
        assert len(text) < 1000
    nodes.start("n3")
    nodes.await_owners(["n1", "n2", "n3"])
    assert sorted(node.node_id for node in nodes["n1"].topology().nodes) == ["n1", "n2", "n3"]
    remove(nodes.etcd, f"/ferrite/test/{key}")
    await_service(nodes)


class SlowEtcd:
    """An etcd whose answers come late, and byte by byte. Leaving the block ends it."""

    LATE_S = 0.1

    def __init__(self, etcd):
        self._etcd = etcd
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends = threading.Event()
        self._sockets = [self._listener]
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._ends.set()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                host, port = self._etcd.address.split(":")
                server = socket.create_connection((host, int(port)))
                self._sockets += [client, server]
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source, target, slowly):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if slowly:
                    self._ends.wait(self.LATE_S)
                for piece in ([data[at:at + 1] for at in range(len(data))] if slowly else [data]):
                    target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


def test_an_etcd_that_answers_slowly_is_waited_for():
    with Etcd() as etcd, SlowEtcd(etcd) as slow, Nodes(slow, 2) as nodes:
        nodes.await_owners()
        await_service(nodes)
        nodes["n2"].kill()
        nodes.await_owners(["n1"])
        await_service(nodes)
