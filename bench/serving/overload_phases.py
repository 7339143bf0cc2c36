"""The phases of one overload: what is offered, and what came of it."""

import dataclasses
import subprocess
import time

from harness import ferrite_json, process

MULTIPLES = (1, 2, 5, 10, 0.5)
CONNECTIONS = 4


class Work:
    """A kind of call, and how much of a core the server gets for it.

    `callers` are what a closed loop needs on each connection to keep the server busy.
    """

    def __init__(self, label, *, share, timeout_ms, callers, **flags):
        self.label = label
        self.share = share
        self.timeout_ms = timeout_ms
        self.callers = callers
        self._flags = [f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()]

    def bench(self, program, server, core, *flags):
        """What `ferrite bench` tells of it; None if the server does not even answer it."""
        command = [program, "bench", f"--server={server.address}", "--json", "--threads=1"]
        done = subprocess.run(
            process.pinned([*command, *self._flags, *flags], core),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        return ferrite_json.parse(done.stdout) if done.stdout else None


@dataclasses.dataclass
class Phase:
    """One rate for some time."""

    multiple: float  # of what a closed loop gets through
    seconds: float
    # Without an answer to begin with, nothing was good.
    counts: dict = dataclasses.field(default_factory=dict)
    goodput: float = 0.0  # good calls per second
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    timeline: list = dataclasses.field(default_factory=list)

    def per_second(self, count):
        return self.counts.get(count, 0) / self.seconds

    def rates_over_time(self):
        """[(seconds, good per second)] of each interval."""
        rates, before = [], 0.0
        for point in self.timeline:
            length = point["seconds"] - before
            before = point["seconds"]
            if length > 0:
                rates.append((before, point["good"] / length))
        return rates or [(self.seconds, 0.0)]

    def recovery_seconds(self):
        """Until almost everything that is offered is good; more than the phase if it never is."""
        for point in self.timeline:
            if point["good"] >= 0.8 * point["offered"]:
                return point["seconds"]
        return self.seconds * 2


def _phase(multiple, result):
    open_load = result["open"]
    return Phase(
        multiple,
        result["seconds"],
        counts=open_load["counts"],
        goodput=open_load["goodput_per_second"],
        p50_ms=open_load["latency_ms"]["p50"],
        p99_ms=open_load["latency_ms"]["p99"],
        timeline=open_load["timeline"],
    )


def capacity(work, program, server, core, seconds):
    """Calls per second of a closed loop that keeps the server busy and its queue short."""
    work.bench(program, server, core, "--count=1", "--warmup=0s", "--timeout=60s")
    flags = [f"--connections={CONNECTIONS}", f"--in-flight={work.callers}"]
    flags += ["--no-preload", "--timeout=10s"]
    result = work.bench(program, server, core, *flags, "--warmup=1s", f"--duration={seconds}s")
    return result["all"]["calls_per_second"]


def offer(work, program, server, core, *, multiple, rate, seconds):
    flags = [
        f"--rate={rate}",
        f"--timeout={work.timeout_ms}ms",
        f"--connections={CONNECTIONS}",
        "--no-preload",
        "--warmup=0s",
        f"--duration={seconds}s",
    ]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = work.bench(program, server, core, *flags)
        if result is not None:
            return _phase(multiple, result)
        # The bench asks for the server's health first, with the same timeout.
    return Phase(multiple, seconds)
