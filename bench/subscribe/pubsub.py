"""Drives bench-pubsub-load, which publishes to Ferrite or Redis, listens, or both."""

import contextlib
import json
import subprocess

from harness import load, peers, process, servers


class Server:
    """A running server of either kind."""

    def __init__(self, kind, pid, port):
        self.kind = kind  # "ferrite", "redis"
        self.pid = pid
        self.port = port
        self.address = f"127.0.0.1:{port}"


@contextlib.contextmanager
def ferrite(build_dir, *flags):
    with servers.ferrite(build_dir, *flags) as server:
        yield Server("ferrite", server.pid, int(server.address.rpartition(":")[2]))


@contextlib.contextmanager
def redis(**settings):
    """Without limits for slow subscribers, as Ferrite does not disconnect them either."""
    cores, _ = load.split_cores()
    port = servers.free_port()
    with peers.redis(port=port) as server:
        process.pin(server.pid, cores)
        settings["client-output-buffer-limit"] = "pubsub 0 0 0"
        for name, value in settings.items():
            name = name.replace("_", "-")
            server.send(f'CONFIG SET {name} "{value}"\r\n'.encode())
            if (answer := server.line()) != b"+OK":
                raise RuntimeError(f"Redis answered {answer!r} to CONFIG SET {name}")
        yield Server("redis", server.pid, port)


class Outcome:
    """One measurement of one server. CPU is that of the server and of the load program."""

    def __init__(self, result, cpu_seconds):
        messages = result["received"] or result["published"]
        self.per_second = messages / result["seconds"]  # received, or published if nobody listens
        self.cpu_us = cpu_seconds / messages * 1e6
        self.load_cpu_us = result["cpu_seconds"] / messages * 1e6
        self.published = result["published"]
        self.missing = result["missing"]
        self.gaps = result["gaps"]
        self.p50_us = result["latency_us"]["p50"]
        self.p99_us = result["latency_us"]["p99"]
        self.publish_p50_us = result["publish_us"]["p50"]
        self.publish_p99_us = result["publish_us"]["p99"]


class Load:
    """The load program with these options: most_behind=8 is --most-behind=8."""

    def __init__(self, build_dir, server, **options):
        _, cores = load.split_cores()
        options |= {"protocol": server.kind, "port": server.port}
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self._command = process.pinned([build_dir / "bin" / "bench-pubsub-load", *flags], cores)
        self._server = server

    def run(self, seconds):
        """Measures from when all subscriptions are active until the last message has arrived."""
        with self._subscribed(f"--duration={seconds}") as program:
            before = process.cpu_seconds(self._server.pid)
            program.stdin.write("begin\n")
            program.stdin.flush()
            result = json.loads(program.stdout.readline())
            return Outcome(result, process.cpu_seconds(self._server.pid) - before)

    @contextlib.contextmanager
    def listening(self):
        """Listens as long as the context lasts; yields a function that ends it and returns what was received."""

        def end():
            program.stdin.close()
            return json.loads(program.stdout.readline())

        with self._subscribed("--publishers=0") as program:
            yield end

    @contextlib.contextmanager
    def _subscribed(self, *more):
        program = subprocess.Popen(
            [*self._command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            if program.stdout.readline() != "ready\n":
                raise RuntimeError(f"bench-pubsub-load did not get ready: {self._command}")
            yield program
        finally:
            program.stdin.close()
            program.stdout.close()
            program.terminate()
            program.wait()
