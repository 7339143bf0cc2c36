"""Starts real Redis and memcached servers for a comparison, and fills them.

Each listens on a Unix socket of its own, so that no port can clash, and keeps nothing on disk.
"""

import contextlib
import getpass
import pathlib
import socket
import subprocess
import tempfile
import time

START_SECONDS = 20


class PeerServer:
    """A running server and one connection to it."""

    def __init__(self, process, connection):
        self.pid = process.pid
        self._connection = connection
        self._answers = connection.makefile("rb")
        self.socket_path = connection.getpeername()

    def send(self, request):
        self._connection.sendall(request)

    def line(self):
        answer = self._answers.readline()
        if not answer.endswith(b"\r\n"):
            raise RuntimeError("the server closed the connection")
        return answer[:-2]

    def read(self, size):
        return self._answers.read(size)


def _connect(address, process):
    """Retries until the server listens: it tells in no other way. The address is a path or a pair of
    host and port."""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = socket.socket(family)
        try:
            connection.connect(address if family == socket.AF_INET else str(address))
            return connection
        except OSError:
            connection.close()
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args[0]} did not start") from None
            time.sleep(0.001)


@contextlib.contextmanager
def _running(command_for_socket):
    with _serving(command_for_socket) as (process, path), _connect(path, process) as connection:
        yield PeerServer(process, connection)


@contextlib.contextmanager
def _serving(command_for_socket):
    """A server that listens: its process, and the path of its socket."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "socket"
        process = subprocess.Popen(
            command_for_socket(path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=directory,
        )
        try:
            _connect(path, process).close()
            yield process, path
        finally:
            process.terminate()
            process.wait()


def _redis_command(path, port, *limits):
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    return [*command, "--loglevel", "warning", *limits]


def _memcached_command(path, mebibytes):
    # Root has to say which user it is to run as; another user could not make the socket.
    return ["memcached", "-s", str(path), "-m", str(mebibytes), "-u", getpass.getuser()]


def redis(*, port=0):
    """A Redis without persistence; with a port it listens on 127.0.0.1 too."""
    return _running(lambda path: _redis_command(path, port))


def memcached():
    return _running(lambda path: _memcached_command(path, 16384))


@contextlib.contextmanager
def memcached_on(*, port):
    """A memcached with one thread that listens on 127.0.0.1: it cannot listen on a socket besides."""
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-m", "16384", "-t", "1"]
    process = subprocess.Popen([*command, "-u", getpass.getuser()], stdin=subprocess.DEVNULL)
    try:
        with _connect(("127.0.0.1", port), process) as connection:
            yield PeerServer(process, connection)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def bounded_redis(memory_bytes, policy):
    """A Redis that evicts by this policy; gives the path of its socket."""
    limits = ("--maxmemory", str(memory_bytes), "--maxmemory-policy", policy)
    with _serving(lambda path: _redis_command(path, 0, *limits)) as (_, path):
        yield path


@contextlib.contextmanager
def bounded_memcached(memory_bytes):
    """A memcached that evicts; gives the path of its socket."""
    mebibytes = max(1, memory_bytes >> 20)
    with _serving(lambda path: _memcached_command(path, mebibytes)) as (_, path):
        yield path


def _batches(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def fill_redis(server, keys, value):
    head = b"*3\r\n$3\r\nSET\r\n"
    tail = b"\r\n$%d\r\n%s\r\n" % (len(value), value)
    for batch in _batches(keys, 1000):
        server.send(b"".join(head + b"$%d\r\n%s" % (len(key), key) + tail for key in batch))
        for _ in batch:
            if (answer := server.line()) != b"+OK":
                raise RuntimeError(f"Redis answered {answer!r} to SET")


def redis_memory(server):
    """What Redis itself counts as used."""
    server.send(b"INFO memory\r\n")
    answer = server.read(int(server.line()[1:]) + 2).decode()
    return int(
        dict(line.split(":", 1) for line in answer.splitlines() if ":" in line)["used_memory"]
    )


def _memcached_stats(server, group):
    server.send(b"stats" + group + b"\r\n")
    stats = {}
    while (answer := server.line()) != b"END":
        _, name, value = answer.decode().split(" ", 2)
        stats[name] = value
    return stats


def memcached_memory(server):
    """What memcached itself counts as taken: slab pages and hash table."""
    return int(_memcached_stats(server, b" slabs")["total_malloced"]) + int(
        _memcached_stats(server, b"")["hash_bytes"]
    )


def entries(server, kind):
    """How many entries a server of this kind ("redis", "memcached") holds."""
    if kind == "redis":
        server.send(b"DBSIZE\r\n")
        return int(server.line()[1:])
    return int(_memcached_stats(server, b"")["curr_items"])
