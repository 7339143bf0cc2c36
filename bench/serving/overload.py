"""Goodput under more load than the server can take: up to 10 times its capacity, and after."""

import contextlib
import dataclasses
import pathlib

from harness import load, plot, process, ready_server, slow_core, terminal
from overload_phases import CONNECTIONS, MULTIPLES, Phase, Work, capacity, offer

TITLE = "More load than the server can take"
TARGETS = ("ferrite", "ferrite-server")
PICTURE = "serving_overload.png"
COLORS = (plot.OURS, plot.OTHERS[2], plot.OTHERS[1], plot.OTHERS[0])

# Deadlines are those that the library gives a call, hundreds of periods of the core; that of small
# RPCs is shorter, or the loader, which has 1,024 on each connection at most, would be a closed loop
# of those and spare the server. Shares are such that the load generator, which has a core, is never
# short of it itself: "not sent" tells.
_LARGE = {"op": "get", "batch": 48, "keys": 200, "value_size": 64 << 10}
WORKS = {
    "large": Work(
        "MGet of 48 values of 64 KiB through the library",
        share=0.08,
        timeout_ms=1000,
        callers=2,
        mode="auto",
        **_LARGE,
    ),
    "batched": Work(
        "Get of 1 KiB through the library",
        share=0.08,
        timeout_ms=1000,
        callers=1000,
        op="get",
        mode="auto",
        keys=10_000,
        value_size=1 << 10,
    ),
    "large_rpc": Work(
        "MGet of 48 values of 64 KiB, each an RPC",
        share=0.08,
        timeout_ms=1000,
        callers=2,
        **_LARGE,
    ),
    "unary_small": Work(
        "Get of 64 B, each an RPC",
        share=0.15,
        timeout_ms=200,
        callers=2,
        op="get",
        keys=10_000,
        value_size=64,
    ),
}
# Sent as programs should send it: these are to keep their goodput.
AIMED = ("large", "batched")


def add_arguments(parser):
    parser.add_argument(
        "--overload-seconds", type=float, default=4.0, help="length of one phase of overload"
    )


def _measure(work, program, seconds, progress):
    """What came of a work, and how its server was slowed."""
    server_cores, load_cores = load.split_cores()
    command = [program.parent / "ferrite-server", "--listen=127.0.0.1:0", "--http-listen="]
    command += ["--threads=1", "--max-memory=1GiB", "--shutdown-grace=1s"]
    with contextlib.ExitStack() as stack:
        slowed = stack.enter_context(slow_core.slowed(*server_cores, work.share))
        server = stack.enter_context(
            ready_server.running(*process.pinned(command, server_cores))
        )
        calls = capacity(work, program, server, load_cores, seconds)
        progress.step(f"{work.label}, capacity")
        phases = []
        for multiple in MULTIPLES:
            rate = multiple * calls
            phases.append(
                offer(work, program, server, load_cores, multiple=multiple, rate=rate, seconds=seconds)
            )
            progress.step(f"{work.label}, {multiple:g} times as much")
    return {
        "label": work.label,
        "slowed": slowed.sentence(),
        "deadline_ms": work.timeout_ms,
        "capacity_per_second": calls,
        "phases": [dataclasses.asdict(phase) for phase in phases],
    }


def measure(build_dir, arguments):
    progress = terminal.Progress(len(WORKS) * (len(MULTIPLES) + 1))
    program = pathlib.Path(build_dir) / "bin" / "ferrite"
    return {
        "seconds": arguments.overload_seconds,
        "works": {
            name: _measure(work, program, arguments.overload_seconds, progress)
            for name, work in WORKS.items()
        },
    }


def _phases(outcome):
    return [Phase(**phase) for phase in outcome["phases"]]


def _at(outcome, multiple):
    return next(phase for phase in _phases(outcome) if phase.multiple == multiple)


def _goodput_at_10x(outcome):
    return _at(outcome, 10).goodput / max(phase.goodput for phase in _phases(outcome))


def ratios(figures):
    """The aims, by the worst of the works that are meant to reach them."""
    works = figures["works"]
    aimed = [works[name] for name in AIMED]
    return {
        "goodput_at_10x_large_rpc": _goodput_at_10x(works["large_rpc"]),
        "goodput_at_10x_unary_small": _goodput_at_10x(works["unary_small"]),
        "recovery_seconds": max(_at(each, 0.5).recovery_seconds() for each in aimed),
        "p99_over_deadline_at_10x": max(
            _at(each, 10).p99_ms / each["deadline_ms"] for each in aimed
        ),
        "goodput_at_10x": min(map(_goodput_at_10x, aimed)),
    }


def _table(outcome):
    header = ["offered", "per second", "not sent", "good", "late", "shed", "expired", "p50 ms"]
    header += ["p99 ms"]
    counts = ("offered", "unsent", "good", "late", "shed", "expired")
    rows = [
        [f"{phase.multiple:g} x" + (not phase.counts) * ", no answer at all"]
        + [f"{phase.per_second(count):,.0f}" for count in counts]
        + [f"{phase.p50_ms:.1f}", f"{phase.p99_ms:.1f}"]
        for phase in _phases(outcome)
    ]
    return f"""{outcome["label"]}, deadline {outcome["deadline_ms"]} ms; closed loop: {outcome["capacity_per_second"]:,.0f} calls/s. {outcome["slowed"]}

{terminal.table(header, rows)}"""


def markdown(figures):
    tables = "\n\n".join(map(_table, figures["works"].values()))
    return f"""Calls start at a rate of their own, as from many independent clients (Poisson), from `ferrite bench`
on another core: first as many as a closed loop gets through, then 2, 5 and 10 times as many, then
half as many, {figures["seconds"]:g} s each, over {CONNECTIONS} connections; each phase is a program of its own. Good is what was OK
within its deadline; deadlines and latencies count from the moment at which a call was to start. Not
sent is what the load generator was too late for, or had no room for. Expired is what ended by its
deadline, or was told that it would: by the server, or by the library, which does not even send such
a call.

{tables}

![goodput over time]({PICTURE})

Recovery, p99 and `goodput_at_10x` are those of the worse of large values and of small ones through
the library, which is how programs should send them; `goodput_at_10x` is divided by the goodput of the
best phase, not by the capacity. RPCs from clients that heed nothing are told beside it. What they
can reach at most: where a refusal costs R and a call that is served costs S, n times the capacity
leave (1 - nR/S) / (1 - R/S) of it, if nothing else is lost. [limits.md](limits.md) has R and S."""


def draw(figures, directory):
    figure, axis = plot.axes(8, 4.5)
    for outcome, color in zip(figures["works"].values(), COLORS, strict=True):
        times, shares, start = [], [], 0.0
        for phase in _phases(outcome):
            for at, rate in phase.rates_over_time():
                times.append(start + at)
                shares.append(rate / outcome["capacity_per_second"])
            if color == COLORS[0]:
                axis.axvline(start, color=plot.OTHERS[-1], linewidth=1)
                axis.annotate(f"{phase.multiple:g} x", (start + 0.1, 1.62), fontsize=9)
            start += phase.seconds
        axis.plot(times, shares, color=color, label=outcome["label"])
    axis.set_ylim(0, 1.7)
    axis.set_xlabel("seconds")
    axis.set_ylabel("goodput / capacity")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=2, fontsize=9)
    plot.save(figure, directory / PICTURE)
