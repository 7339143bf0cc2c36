"""The load generators: what each is told, and what it tells."""

import csv
import io
import json
import subprocess

from harness import process

KEY_BYTES = 16
VALUE_BYTES = 64


class Outcome:
    """One measurement of one server."""

    def __init__(self, *, per_second, p50_us, p99_us, cpu_us):
        self.per_second = per_second
        self.p50_us = p50_us
        self.p99_us = p99_us
        self.cpu_us = cpu_us  # of the server, per operation


def _output(command, cores):
    return subprocess.run(
        process.pinned(command, cores), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _ferrite_bench(program, server, cores, *switches, **options):
    """What `ferrite bench` tells; an option such as key_size=16 is --key-size=16."""
    options |= {"key_size": KEY_BYTES, "value_size": VALUE_BYTES, "warmup": "0s", "op": "get"}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [program, "bench", f"--server={server.address}", "--json", *switches, *flags]
    return json.loads(_output(command, cores))


def fill_ferrite(program, server, *, keys, cores):
    """Writes every key."""
    _ferrite_bench(program, server, cores, keys=keys, count=1)


def unary_get(program, server, *, keys, connections, in_flight, seconds, cores):
    """Drives a server that speaks ferrite.v1. `in_flight` is per connection."""
    before = process.cpu_seconds(server.pid)
    result = _ferrite_bench(
        program,
        server,
        cores,
        "--no-preload",
        keys=keys,
        connections=connections,
        in_flight=in_flight,
        threads=1,
        duration=f"{seconds}s",
    )
    used = process.cpu_seconds(server.pid) - before
    calls = result["all"]
    if calls["errors"] or result["misses"]:
        raise RuntimeError(f"calls failed or missed their key: {result}")
    return Outcome(
        per_second=calls["calls_per_second"],
        p50_us=calls["latency_us"]["p50"],
        p99_us=calls["latency_us"]["p99"],
        cpu_us=used / calls["calls"] * 1e6,
    )


class RedisBenchmark:
    """Drives Redis with its own load generator, which is told a number and not a time."""

    def __init__(self, server, port, *, keys, connections, pipeline):
        self._server = server
        self._command = f"redis-benchmark -h 127.0.0.1 -p {port} -t get -r {keys} --csv".split()
        self._command += f"-c {connections} -P {pipeline} -d {VALUE_BYTES}".split()
        self._per_second = 100_000  # a first guess

    def get(self, *, seconds, cores):
        requests = max(1000, int(self._per_second * seconds))
        before = process.cpu_seconds(self._server.pid)
        printed = _output([*self._command, "-n", requests], cores)
        used = process.cpu_seconds(self._server.pid) - before
        row = next(csv.DictReader(io.StringIO(printed)))
        self._per_second = float(row["rps"])
        return Outcome(
            per_second=self._per_second,
            p50_us=float(row["p50_latency_ms"]) * 1000,
            p99_us=float(row["p99_latency_ms"]) * 1000,
            cpu_us=used / requests * 1e6,
        )


def redis_keys(keys):
    """The keys that redis-benchmark asks for."""
    return [b"key:%012d" % index for index in range(keys)]
