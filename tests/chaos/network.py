"""A network of its own on this machine: hosts behind a bridge, each a network namespace, between which packets can be lost.

enter() moves the program into namespaces of its own for networks, mounts and processes. So nothing that it starts or changes is
seen outside, and all of it is gone when the program ends, however it ends.
"""

import os
import shutil
import subprocess
import sys

INSIDE = "FERRITE_CHAOS_INSIDE"
NEEDED = {"unshare": "util-linux", "ip": "iproute2", "iptables": "iptables"}


class Impossible(Exception):
    """There can be no such network here; says why."""


def enter():
    """Runs the program anew inside, unless it is there. Raises Impossible if it cannot be."""
    if os.environ.get(INSIDE):
        run("mount", "-t", "proc", "proc", "/proc")
        run("mount", "-t", "tmpfs", "tmpfs", "/run")  # where `ip netns` keeps names, and etcd its data
        return
    for program, package in NEEDED.items():
        if shutil.which(program) is None:
            raise Impossible(f"{program} is missing: apt-get install {package}")
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"] + ["--map-root-user"] * (os.geteuid() != 0)
    trial = "ip link add trial type bridge && mount -t proc proc /proc && mount -t tmpfs tmpfs /run && iptables -A INPUT -s 10.0.0.1 -j DROP"
    done = subprocess.run([*unshare, "sh", "-ec", trial], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Impossible(f"no network namespaces with a bridge and iptables here: {done.stderr.strip()}")
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, "-B", *sys.argv])


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Network:
    """The program itself is at 10.77.0.1, and always reaches all hosts."""

    def __init__(self):
        self._addresses = {}
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "address", "add", "10.77.0.1/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")

    def add(self, host):
        """Returns its address."""
        address = f"10.77.0.{10 + len(self._addresses)}"
        run("ip", "netns", "add", host)
        run("ip", "link", "add", f"to-{host}", "type", "veth", "peer", "name", "eth0", "netns", host)
        run("ip", "link", "set", f"to-{host}", "master", "bridge", "up")
        run("ip", "-n", host, "address", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", host, "link", "set", "eth0", "up")
        run("ip", "-n", host, "link", "set", "lo", "up")
        self._addresses[host] = address
        return address

    @staticmethod
    def inside(host):
        """The command that runs another on this host, in its own place: it keeps the process id."""
        return ("ip", "netns", "exec", host)

    def lose(self, source, target):
        """From now on nothing that one host sends to the other arrives."""
        run(*self.inside(target), "iptables", "-w", "-A", "INPUT", "-s", self._addresses[source], "-j", "DROP")

    def cut(self, one, other):
        """Both ways."""
        self.lose(one, other)
        self.lose(other, one)

    def mend(self):
        """All arrives again."""
        for host in self._addresses:
            run(*self.inside(host), "iptables", "-w", "-F", "INPUT")
