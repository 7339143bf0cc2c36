"""Subscribers that do not read: how much of the server's memory they take, and of its time for others."""

import contextlib
import re
import statistics
import threading
import time
import urllib.request

import pubsub
from harness import plot, process, report, servers, terminal

TITLE = "Subscribers that do not read"
TARGETS = ("bench-pubsub-load", "ferrite-server")
MIB = 1 << 20
TOTAL_BYTES = 64 * MIB
HISTORY_BYTES = 32 * MIB
PAYLOAD_BYTES = 1024
RATE = 10_000
TURNS = 8
SAMPLE_SECONDS = 0.1


def add_arguments(parser):
    parser.add_argument("--stalled", type=int, default=1000, metavar="N", help="how many do not read")
    parser.add_argument(
        "--stalled-seconds", type=float, default=20, help="how long is published to them"
    )


class _Memory:
    """Samples the memory of a server over time, while asked to."""

    def __init__(self, pid):
        self._pid = pid
        self._over = 0.0
        self.samples = []

    @contextlib.contextmanager
    def watched(self):
        ended = threading.Event()
        thread = threading.Thread(target=self._sample, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _sample(self, ended):
        begin = time.monotonic()
        while not ended.wait(SAMPLE_SECONDS):
            seconds = self._over + time.monotonic() - begin
            self.samples.append((seconds, process.resident_bytes(self._pid)))
        self._over += time.monotonic() - begin


def _counters(server):
    """What the server itself counts of events: {metric: the sum of its label sets}"""
    with urllib.request.urlopen(f"http://{server.http_address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        if match := re.match(r"(ferrite_(?:subscriber|event|history)\w*)(?:{.*})? (\S+)$", line):
            found[match[1]] = found.get(match[1], 0) + float(match[2])
    return found


def _server(stack, build_dir):
    flags = [f"--subscriber-total-bytes={TOTAL_BYTES}", f"--history-bytes={HISTORY_BYTES}"]
    server = stack.enter_context(
        servers.ferrite(build_dir, "--http-listen=127.0.0.1:0", *flags)
    )
    return server, pubsub.Server("ferrite", server.pid, int(server.address.rpartition(":")[2]))


def measure(build_dir, arguments):
    seconds = arguments.stalled_seconds / TURNS
    progress = terminal.Progress(2 * TURNS)
    outcomes = {"calm": [], "stalled": []}
    with contextlib.ExitStack() as stack:
        _, calm = _server(stack, build_dir)
        counted, stalled = _server(stack, build_dir)
        publish = {"publishers": 4, "rate": RATE, "payload": PAYLOAD_BYTES, "subscribers": 1}
        runs = {
            name: pubsub.Load(build_dir, server, **publish).run
            for name, server in (("calm", calm), ("stalled", stalled))
        }
        for run in runs.values():
            run(seconds=seconds / 4)
        silent = pubsub.Load(build_dir, stalled, subscribers=arguments.stalled, stalled="true")
        stack.enter_context(silent.listening())
        before = process.resident_bytes(stalled.pid)
        memory = _Memory(stalled.pid)
        for _ in range(TURNS):
            outcomes["calm"].append(vars(runs["calm"](seconds=seconds)))
            progress.step("calm")
            with memory.watched():
                outcomes["stalled"].append(vars(runs["stalled"](seconds=seconds)))
            progress.step("stalled")
        counters = _counters(counted)
    return {
        "stalled": arguments.stalled,
        "seconds": arguments.stalled_seconds,
        "before_bytes": before,
        "memory": memory.samples,
        "outcomes": outcomes,
        "counters": counters,
    }


def _growth(figures):
    return max(resident for _, resident in figures["memory"]) - figures["before_bytes"]


def _ratio(figures, field):
    return report.median_ratio(
        *([each[field] for each in figures["outcomes"][name]] for name in ("stalled", "calm"))
    )


def ratios(figures):
    return {
        "stalled_memory_vs_budget": _growth(figures) / (TOTAL_BYTES + HISTORY_BYTES),
        "stalled_cpu_vs_calm": _ratio(figures, "cpu_us"),
        "stalled_publish_p99_vs_calm": _ratio(figures, "publish_p99_us"),
    }


def markdown(figures):
    fields = ("publish_p50_us", "publish_p99_us", "p99_us")
    rows = [
        [
            label,
            *(f"{statistics.median(run[field] for run in runs):,.0f}" for field in fields),
            f"{statistics.median(run['cpu_us'] for run in runs):.2f}",
            sum(run["missing"] + run["gaps"] for run in runs),
        ]
        for name, label in (("calm", "without"), ("stalled", "with them"))
        if (runs := figures["outcomes"][name])
    ]
    header = ["stalled subscribers", "publish p50 us", "publish p99 us", "receipt p99 us"]
    table = terminal.table([*header, "server CPU us", "missing"], rows)
    counters = terminal.table(
        ["metric", "value"], [[name, f"{value:,.0f}"] for name, value in figures["counters"].items()]
    )
    return f"""{RATE:,} messages/s of {PAYLOAD_BYTES:,} B, each a Publish of its own, for {figures["seconds"]:g} s to a channel with one
subscriber who reads, and on a second server with {figures["stalled"]:,} more who never do, each on its own
connection; the servers take turns. May wait: {TOTAL_BYTES // MIB} MiB for all subscribers
(`--subscriber-total-bytes`), and the history has {HISTORY_BYTES // MIB} MiB (`--history-bytes`). The process grew by
{_growth(figures) / MIB:.1f} MiB since these subscribers came. CPU is per message that the reading subscriber received.

{table}

What the server with the stalled ones counted:

{counters}

![Memory over time](subscribe_stalled.png)"""


def draw(figures, directory):
    figure, axes = plot.axes(7, 3.2)
    before = figures["before_bytes"] / MIB
    axes.plot(
        [seconds for seconds, _ in figures["memory"]],
        [resident / MIB for _, resident in figures["memory"]],
        color=plot.OURS,
        label="memory of the server",
    )
    axes.axhline(
        before + (TOTAL_BYTES + HISTORY_BYTES) / MIB,
        color=plot.OTHERS[0],
        linestyle="--",
        label="before, and the budget",
    )
    axes.axhline(before, color=plot.OTHERS[-1], linestyle="--", label="before")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"seconds of publishing to {figures['stalled']:,} that do not read")
    axes.set_ylabel("MiB")
    axes.legend(fontsize=7)
    plot.save(figure, directory / "subscribe_stalled.png")
