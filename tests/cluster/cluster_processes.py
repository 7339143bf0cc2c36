"""A real etcd and real nodes on loopback.

    with Etcd() as etcd, Nodes(etcd, 3) as nodes:
        nodes.await_owners()
        nodes["n1"].process.freeze()
"""

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import grpc
from cache_client import CALL_S, CacheClient
from eventually import eventually
from ferrite.v1 import cluster_pb2, cluster_pb2_grpc
from server_process import ServerProcess

SLOTS = 16384
# The shortest that the server allows, so that tests wait for as little as possible.
LEASE_TTL = "2s"


def free_port():
    """One that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Etcd:
    """One etcd. Leaving the block ends it. `tls` is its certificate, and the authority of those that clients show."""

    def __init__(self, tls=None):
        self._tls = tls
        assert shutil.which("etcd"), "etcd is missing: apt-get install etcd-server"
        self._folder = tempfile.mkdtemp(prefix="ferrite-etcd-")
        self._port = free_port()
        self._peer_port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()
        shutil.rmtree(self._folder)

    def start(self):
        """Starts it, with the data that it had before, and waits until it serves."""
        client, peer = f"{'https' if self._tls else 'http'}://{self.address}", f"http://127.0.0.1:{self._peer_port}"
        command = ["setpriv", "--pdeathsig", "KILL", "--", "etcd", "--name=e0", f"--data-dir={self._folder}/data",
                   f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                   f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=e0={peer}", "--heartbeat-interval=50",
                   "--election-timeout=500", "--logger=zap", "--log-outputs=stderr"]
        if self._tls:
            pair, authority = self._tls
            command += [f"--cert-file={pair.certificate}", f"--key-file={pair.key}", f"--trusted-ca-file={authority.certificate}",
                        "--client-cert-auth"]
        self._log = open(f"{self._folder}/log", "ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log)
        eventually(self._serves, bool, "etcd does not serve")

    def _serves(self):
        assert self._process.poll() is None, "etcd has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._log.close()
            self._process = None

    @contextlib.contextmanager
    def backup(self):
        """A copy of what it has now; yields what starts it anew with that."""
        with tempfile.TemporaryDirectory() as copy:
            self.kill()
            shutil.copytree(f"{self._folder}/data", f"{copy}/data")
            self.start()

            def restore():
                self.kill()
                shutil.rmtree(f"{self._folder}/data")
                shutil.copytree(f"{copy}/data", f"{self._folder}/data")
                self.start()

            yield restore

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)


class ClusterClient(CacheClient):
    """A CacheClient that has ClusterService as well."""

    def __init__(self, address, credentials=None):
        super().__init__(address, credentials=credentials)
        self.cluster = cluster_pb2_grpc.ClusterServiceStub(self.channel)

    def topology(self):
        return self.cluster.GetTopology(cluster_pb2.GetTopologyRequest(), timeout=CALL_S)


class ClusterNode:
    """A node and a connection to it."""

    def __init__(self, etcd, node_id, *flags, cluster="test", lease_ttl=LEASE_TTL, credentials=None):
        self.id = node_id
        self.process = ServerProcess(f"--cluster-name={cluster}", f"--etcd-endpoints={etcd.address}", f"--node-id={node_id}",
                                     f"--lease-ttl={lease_ttl}", "--max-memory=64MiB", *flags)
        self.address = self.process.grpc_address
        self.client = ClusterClient(self.address, credentials)

    def topology(self):
        return self.client.topology().topology

    def witness(self):
        return self.client.topology().witness

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.await_end(-signal.SIGKILL)


class Nodes:
    """Nodes by their ids, n1 and so on. Leaving the block stops those that still run."""

    def __init__(self, etcd, count, lease_ttl=LEASE_TTL, credentials=None):
        self._etcd = etcd
        self._credentials = credentials
        self._lease_ttl = lease_ttl
        self._nodes = {}
        for number in range(1, count + 1):
            self.start(f"n{number}")

    def __enter__(self):
        return self

    def __exit__(self, error_type, *error):
        for node in self._nodes.values():
            node.client.close()
        for node in self._nodes.values():
            if node.process.running():
                node.process.thaw()
                node.process.__exit__(error_type, *error) if error_type else node.process.signal(signal.SIGKILL)
                node.process.wait()
            elif error_type:
                print(f"log of {node.id}:\n{node.process.log()}")

    def __getitem__(self, node_id):
        return self._nodes[node_id]

    def start(self, node_id, *flags):
        self._nodes[node_id] = ClusterNode(self._etcd, node_id, *flags, lease_ttl=self._lease_ttl, credentials=self._credentials)
        return self._nodes[node_id]

    def living(self):
        return [node for node in self._nodes.values() if node.process.running()]

    def await_owners(self, owners=None, of=None):
        """Waits until each of these nodes, all that live unless named, serves an even share, as each of `of` sees it.
        Returns the topology.
        """
        owners = sorted(owners or (node.id for node in self.living()))
        for node in of or self.living():
            topology = eventually(node.topology, lambda seen: shares_of(seen, served=True) == even(owners),
                                  f"{owners} do not serve even shares, as {node.id} sees it")
        return topology


def even(owners):
    """How many slots each should have, in ascending order, by the number of owners: those of first ones may differ by one."""
    return {owner: SLOTS // len(owners) for owner in owners}


def shares_of(topology, served=False):
    """How many slots each node owns; a share that is off by one, as even shares are, counts as one that is not."""
    shares = {}
    for slots in topology.slots:
        if served and slots.state == cluster_pb2.SLOT_STATE_RELEASING:
            return {}
        owner = topology.nodes[slots.owner].node_id
        shares[owner] = shares.get(owner, 0) + slots.last - slots.first + 1
    if sum(shares.values()) != SLOTS:
        return {}
    least = SLOTS // len(shares)
    return {owner: least if share == least + 1 else share for owner, share in shares.items()}


def owner_of(topology, slot):
    """The name of the node that serves the slot; None if nobody does."""
    for slots in topology.slots:
        if slots.first <= slot <= slots.last and slots.state == cluster_pb2.SLOT_STATE_SERVED:
            return topology.nodes[slots.owner].node_id
    return None


def code_of(call, *arguments, **named):
    """The status of a call."""
    try:
        call(*arguments, **named)
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def metric(node, name):
    """The value of a metric, by its name and its labels as they are written."""
    from exposition import http_get

    _, body, _ = http_get(node.process.http_address, "/metrics")
    found = re.search(rf"^{re.escape(name)} (\S+)$", body, re.MULTILINE)
    assert found, f"no metric {name}"
    return float(found[1])
