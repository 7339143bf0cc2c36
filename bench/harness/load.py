"""The load generators: what each is told, and what it tells."""

import os
import resource
import subprocess

from harness import ferrite_json, process

KEY_BYTES = 16


class Outcome:
    """One measurement of one server."""

    def __init__(self, *, per_second, p50_us, p99_us, cpu_us, load_cpu_us):
        self.per_second = per_second  # operations: keys read or written
        self.p50_us = p50_us  # of a call, a frame, a burst of commands
        self.p99_us = p99_us
        self.cpu_us = cpu_us  # of the server, per operation
        self.load_cpu_us = load_cpu_us  # of the load generator


def split_cores():
    """Cores for a server with one thread, and for its load generator."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[:1], cores[1:] or cores


class Driver:
    """Runs a load generator and reads the CPU time that it and the server use meanwhile."""

    def __init__(self, command, pid, cores):
        self._command = process.pinned(command, cores)
        self._pid = pid

    def run(self, *more):
        """Returns what the generator printed as JSON, and the CPU seconds of server and load."""
        server_before, load_before = process.cpu_seconds(self._pid), _children_cpu_seconds()
        done = subprocess.run(
            [*self._command, *map(str, more)], check=True, stdout=subprocess.PIPE, text=True
        )
        used = process.cpu_seconds(self._pid) - server_before
        return ferrite_json.parse(done.stdout), used, _children_cpu_seconds() - load_before


def _children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _flags(options):
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


class FerriteBench:
    """Drives a server that speaks ferrite.v1. Options as those of `ferrite bench`: in_flight=8 is
    --in-flight=8."""

    def __init__(self, program, server, *, cores, **options):
        options |= {"server": server.address, "key_size": KEY_BYTES}
        command = [program, "bench", "--json", "--warmup=0s", *_flags(options)]
        self._driver = Driver(command, server.pid, cores)

    def fill(self):
        """Writes every key."""
        self._driver.run("--count=1")

    def run(self, seconds):
        result, cpu, load_cpu = self._driver.run("--no-preload", f"--duration={seconds}s")
        every = result["all"]
        if every["errors"] or result["misses"]:
            raise RuntimeError(f"operations failed or missed their key: {result}")
        return Outcome(
            per_second=every["keys_per_second"],
            p50_us=every["latency_us"]["p50"],
            p99_us=every["latency_us"]["p99"],
            cpu_us=cpu / every["keys"] * 1e6,
            load_cpu_us=load_cpu / every["keys"] * 1e6,
        )


class PeerLoad:
    """Drives Redis and memcached, each in the same way, by bench-peer-load."""

    def __init__(self, program, pid, *, cores, **options):
        command = [program, *_flags(options | {"key_size": KEY_BYTES})]
        self._driver = Driver(command, pid, cores)

    def fill(self):
        self._driver.run("--fill", "--pipeline=256")

    def run(self, seconds):
        result, cpu, load_cpu = self._driver.run(f"--duration={seconds}")
        if result["errors"] or result["misses"]:
            raise RuntimeError(f"operations failed or missed their key: {result}")
        return Outcome(
            per_second=result["operations"] / result["seconds"],
            p50_us=result["p50_us"],
            p99_us=result["p99_us"],
            cpu_us=cpu / result["operations"] * 1e6,
            load_cpu_us=load_cpu / result["operations"] * 1e6,
        )


def take_turns(subjects, *, rounds, seconds, progress):
    """{name: [Outcome per round]} of {name: run(seconds)}."""
    outcomes = {name: [] for name in subjects}
    for turn in range(rounds + 1):
        for name, run in subjects.items():
            if turn == 0:
                run(seconds=seconds / 4)  # warms up
            else:
                outcomes[name].append(vars(run(seconds=seconds)))
            progress.step(name)
    return outcomes
