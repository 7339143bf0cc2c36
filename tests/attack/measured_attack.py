"""Runs an attack against a server of its own, beside an ordinary client, and measures what it does to both."""

import contextlib
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from certificates import Authority
from exposition import scrape
from server_process import ServerProcess

HERE = pathlib.Path(__file__).parent
FLAGS = (
    "--max-memory=64MiB",
    "--threads=2",
    "--max-inflight-bytes=16MiB",
    "--max-connections=1000",
    "--max-streams=1000",
    "--max-subscribers=1000",
    "--subscriber-total-bytes=16MiB",
    "--history-bytes=8MiB",
)
# What any attack can fill, of what README lists beside entries. Those that fill more of it say so, as FILLS.
PARTS = ("requests on their way", "max-inflight-bytes", "max-connections")
AFTER_S = 10
LOOK_S = 0.02
MIB = 1 << 20


def attacks():
    """The names of all attacks: the programs of this folder that are told an address and how long."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\nimport flood\n" in path.read_text(encoding="utf-8"))


def on_core(core, *command):
    """The command, on that core alone: an attack is not to take the time of the client that it is measured by."""
    return ["taskset", "--cpu-list", str(core), *command]


class Peak:
    """The largest resident size of a process since this was made."""

    def __init__(self, server):
        self._server = server
        self._end = threading.Event()
        self.bytes = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._end.wait(LOOK_S):
            self.bytes = max(self.bytes, self._server.resident_bytes())

    def stop(self):
        self._end.set()
        self._thread.join()


def documented_bytes(server, name):
    """How much the server's own plan has for what this attack reaches."""
    fills = getattr(importlib.import_module(name), "FILLS", ())
    plan = {dict(labels)["part"]: value for labels, value in scrape(server).of("ferrite_memory_plan_bytes").items()}
    return sum(plan[part] for part in (*PARTS, *fills))


def run_attack(name, seconds, over_tls=False):
    """Returns what was measured, as a dictionary; None if the server counts no frames, as a sanitizer has recvmsg() to itself."""
    with contextlib.ExitStack() as stack:
        flags, trusted = FLAGS, []
        if over_tls:
            authority = Authority(stack.enter_context(tempfile.TemporaryDirectory()))
            pair = authority.issue()
            flags += (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}")
            trusted = [authority.certificate]
        server = stack.enter_context(ServerProcess(*flags))
        if server.sanitized():
            return None
        cores = sorted(os.sched_getaffinity(0))
        ordinary = on_core(cores[-1], sys.executable, "-B", HERE / "ordinary_client.py", server.grpc_address, *trusted)
        with subprocess.Popen(ordinary, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            client.stdout.readline()  # it has been served for a while
            before = server.resident_bytes()
            peak = Peak(server)
            ca = ["--ca", *trusted] if trusted else []
            words = [server.grpc_address, str(seconds), server.http_address, *ca]
            program = on_core(cores[0], sys.executable, "-B", HERE / f"{name}.py", *words)
            attack = subprocess.run(program, capture_output=True, text=True, check=False)
            peak.stop()
            out, _ = client.communicate(b"end")
        ended = time.monotonic()
        after = server.resident_bytes()
        pause = threading.Event()
        while after > 1.2 * before and time.monotonic() < ended + AFTER_S:
            pause.wait(LOOK_S)
            after = server.resident_bytes()
        seen = json.loads(out)
        metrics = scrape(server)
        cut = {dict(labels)["reason"]: int(count) for labels, count in metrics.of("ferrite_connections_cut_total").items() if count}
        return {
            "held": attack.returncode == 0,
            "said": (attack.stdout + attack.stderr).strip(),
            "peak_bytes": peak.bytes - before,
            "documented_bytes": documented_bytes(server, name),
            "share_served": seen["served"] / seen["asked"],
            "p99_ms": seen["p99_ms"],
            "before_bytes": before,
            "after_bytes": after,
            "cut": cut,
        }
