"""Nodes and etcd members as processes, on hosts of their own or on loopback."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import urllib.request

from eventually import eventually
from server_process import ServerProcess

SLOTS = 16384
LEASE_TTL_S = 2  # the shortest that the server allows


def pause(seconds):
    """Lets things happen."""
    threading.Event().wait(seconds)


class Member:
    """One of etcd's. `peers` are the addresses of all members for each other, by name."""

    def __init__(self, name, address, peers, folder, inside=()):
        self.address = address
        self._log = pathlib.Path(folder) / f"{name}.log"
        self._command = [
            "setpriv", "--pdeathsig", "KILL", "--", *inside, "etcd", f"--name={name}", f"--data-dir={folder}/{name}",
            f"--listen-client-urls=http://{address}", f"--advertise-client-urls=http://{address}",
            f"--listen-peer-urls=http://{peers[name]}", f"--initial-advertise-peer-urls=http://{peers[name]}",
            f"--initial-cluster={','.join(f'{each}=http://{peer}' for each, peer in peers.items())}", "--logger=zap", "--log-outputs=stderr"
        ]
        self._process = None

    def start(self):
        """With the data that it had before."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def end(self):
        if self._process is not None:
            self.kill()

    def leads(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=2) as answer:
                return b"\netcd_server_is_leader 1\n" in answer.read()
        except OSError:
            return False


class Node:
    """A node of the cluster. `clock` is a WallClock, by which its wall clock can be set."""

    def __init__(self, name, address, etcd, *flags, inside=(), clock=None):
        self.name = name
        self.address = address
        self.clock = clock
        self._inside = inside
        self._flags = ["--cluster-name=trial", f"--etcd-endpoints={etcd}", f"--node-id={name}", f"--lease-ttl={LEASE_TTL_S}s", *flags]
        self._process = None

    def start(self):
        environment = self.clock.environment if self.clock else None
        self._process = ServerProcess(*self._flags, env=environment, listen=self.address, inside=self._inside)

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        self._process.signal(signal.SIGKILL)
        self._process.await_end(-signal.SIGKILL)

    def leave(self):
        """It hands over, and ends."""
        self._process.terminate()
        self._process.await_end(0)

    def end(self):
        """Kills it if it runs, even if it stands still."""
        if self._process is not None and self._process.running():
            self.kill()

    def freeze(self):
        self._process.freeze()

    def thaw(self):
        self._process.thaw()

    def log(self):
        return self._process.log()

    def status(self):
        """What `ferrite cluster status` tells of it; None without an answer."""
        command = [os.environ["FERRITE_CLI_BINARY"], "--server", self.address, "--timeout", "1s", "--json", "cluster", "status"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None


class Cluster:
    """Members and nodes by their names."""

    def __init__(self, members, nodes, network=None, folder=None):
        self.members = members
        self.nodes = nodes
        self.network = network
        self._folder = folder  # is removed with this

    def start(self):
        """Returns when each node serves its share."""
        for member in self.members.values():
            member.start()
        eventually(lambda: self.leader() or pause(0.1), bool, "etcd has no leader")
        for node in self.nodes.values():
            node.start()
        self.settle()

    def end(self):
        """Kills all that still runs."""
        for node in self.nodes.values():
            node.end()
        for member in self.members.values():
            member.end()

    def leader(self):
        return next((member for member in self.members.values() if member.leads()), None)

    def settle(self, without=()):
        """Waits until each node, but those named, serves an even share, and they agree on it. Returns (epoch, who has which slots)."""
        asked = [node for node in self.nodes.values() if node.name not in without]
        return eventually(lambda: _agreement(asked) or pause(0.1), bool, "the cluster does not settle")


def _agreement(nodes):
    statuses = [node.status() for node in nodes]
    if None in statuses or any(int(status["witness"]["may_serve_ms"]) <= 0 for status in statuses):
        return None
    seen = {(int(status["epoch"]), _owners(status)) for status in statuses}
    shares = [sum(last - first + 1 for first, last in ranges) for _, ranges in _owners(statuses[0])]
    even = len(shares) == len(nodes) and sum(shares) == SLOTS and max(shares) - min(shares) <= 1
    return seen.pop() if len(seen) == 1 and even else None


def _owners(status):
    owners = {}
    for slots in status["slots"]:
        if slots["state"] == "served":
            owners.setdefault(slots["owner"], []).append((int(slots["first"]), int(slots["last"])))
    return tuple((owner, tuple(ranges)) for owner, ranges in sorted(owners.items()))


class Load:
    """The clients that call all nodes, and judge what they were told."""

    def __init__(self, cluster, prefix, *arguments):
        nodes = ",".join(node.address for node in cluster.nodes.values())
        command = [os.environ["CHAOS_LOAD_BINARY"], f"--nodes={nodes}", f"--prefix={prefix}", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, what):
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def finish(self):
        """Their judgement."""
        printed, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"chaos-load ended with {self._process.returncode}")
        return json.loads(printed)


def on_loopback(free_port, count, *flags, inside=()):
    """A cluster of so many nodes and one etcd on 127.0.0.1, not started yet."""
    local = lambda: f"127.0.0.1:{free_port()}"
    folder = tempfile.TemporaryDirectory(prefix="ferrite-etcd-")
    member = Member("e1", local(), {"e1": local()}, folder.name)
    names = [f"n{number + 1}" for number in range(count)]
    nodes = {name: Node(name, local(), member.address, *flags, inside=inside) for name in names}
    return Cluster({"e1": member}, nodes, folder=folder)


def on_hosts(network, clocks, members=3, nodes=3):
    """A cluster whose nodes and members have a host each, not started yet; `clocks` makes the clock of a node."""
    etcd_hosts = {f"e{number + 1}": network.add(f"e{number + 1}") for number in range(members)}
    peers = {name: f"{host}:2380" for name, host in etcd_hosts.items()}
    etcd = {name: Member(name, f"{host}:2379", peers, "/run", network.inside(name)) for name, host in etcd_hosts.items()}
    endpoints = ",".join(member.address for member in etcd.values())
    by_name = {}
    for number in range(nodes):
        name = f"n{number + 1}"
        by_name[name] = Node(name, f"{network.add(name)}:6380", endpoints, "--insecure", "--max-memory=64MiB", "--shutdown-grace=10s",
                             inside=network.inside(name), clock=clocks())
    return Cluster(etcd, by_name, network)
