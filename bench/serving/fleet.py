"""The servers of a comparison, each with one thread on the same core."""

import contextlib

from harness import load, peers, process, ready_server, servers


@contextlib.contextmanager
def echo(build_dir):
    server_cores, _ = load.split_cores()
    command = [build_dir / "bin" / "bench-echo-server", "--threads=1"]
    with ready_server.running(*process.pinned(command, server_cores)) as server:
        yield server


class Fleet:
    """One server of each kind, filled with the same keys and values."""

    def __init__(self, stack, build_dir, *, keys, value_bytes):
        self._bin = build_dir / "bin"
        self._entries = {"keys": keys, "value_size": value_bytes}
        self._value_bytes = value_bytes
        server_cores, self._cores = load.split_cores()
        self._ours = {
            "echo": stack.enter_context(echo(build_dir)),
            "ferrite": stack.enter_context(servers.ferrite(build_dir, "--max-memory=16GiB")),
        }
        servers.fill_ferrite(build_dir, self._ours["ferrite"], **self._entries)
        self._peers = {}  # {kind: (pid, port)}
        for kind, start in (("redis", peers.redis), ("memcached", peers.memcached_on)):
            port = servers.free_port()
            pid = stack.enter_context(start(port=port)).pid
            process.pin(pid, server_cores)
            self._peers[kind] = (pid, port)
            self._peer_load(kind, protocol=kind).fill()

    def _peer_load(self, kind, **options):
        pid, port = self._peers[kind]
        options |= {"port": port} | self._entries
        return load.PeerLoad(self._bin / "bench-peer-load", pid, cores=self._cores, **options)

    def measures(self, subject):
        """A function that measures the subject for some seconds."""
        options = subject.options(self._value_bytes)
        if subject.server in self._peers:
            return self._peer_load(subject.server, **options).run
        server = self._ours[subject.server]
        options |= self._entries
        return load.FerriteBench(self._bin / "ferrite", server, cores=self._cores, **options).run
