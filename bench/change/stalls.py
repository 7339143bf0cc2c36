"""What the sections about stalls share: where the programs run, the rounds, and the table.

A cause (such as "flush") keeps a server busy while probers (such as "get") call it. A run is
{"build", "threads", "took_ms": {cause: ms}, "stalls": {cause: {prober: stall}}}, and a stall is
{"stall_ms", "idle_ms"}.
"""

import os
import statistics

from harness import builds, load, terminal

THREADS = (1, 2)
FIELDS = ("stall_ms", "idle_ms")
EXPLANATION = """Each cell gives the worst call of a round: the median over the rounds and, in
brackets, the maximum. "Idle" is the same over an equally long stretch in which nothing else
happened: the noise of this machine. Each prober has its own connection and, where permitted, real-time
priority; it sends one call after another, 0.1 ms apart. With one serving thread the server has one
core and the callers have the other; with two, all of them share every core."""


def cores(threads):
    """(cores of the server, cores of its callers). One serving thread gets a core of its own;
    several share every core with the callers, because a machine may have no more cores."""
    if threads == 1:
        return load.split_cores()
    everywhere = sorted(os.sched_getaffinity(0))
    return everywhere, everywhere


def measure(build_dir, arguments, run_once):
    """A run per round, number of threads and build; `run_once(directory, threads)` returns
    (took_ms, stalls)."""
    directories = builds.directories(build_dir, arguments)
    progress = terminal.Progress(len(directories) * len(THREADS) * arguments.stall_rounds)
    runs = []
    for _ in range(arguments.stall_rounds):
        for threads in THREADS:
            for who, directory in directories.items():
                took_ms, stalls = run_once(directory, threads)
                runs.append(
                    {"build": who, "threads": threads, "took_ms": took_ms, "stalls": stalls}
                )
                progress.step(f"{who}, {threads} threads")
    return runs


def _of(runs, who, threads):
    return [run for run in runs if run["build"] == who and run["threads"] == threads]


def _seen(runs, who, threads, cause, prober, field):
    return [run["stalls"][cause][prober][field] for run in _of(runs, who, threads)]


def worst_ms(runs, causes, prober):
    """This tree's worst call of a round, as the median over the rounds; the worst of all numbers of
    threads and of `causes`."""
    return max(
        statistics.median(_seen(runs, builds.NOW, threads, cause, prober, "stall_ms"))
        for threads in THREADS
        for cause in causes
    )


def _cell(milliseconds):
    return f"{statistics.median(milliseconds):.2f} ({max(milliseconds):.2f})"


def table(runs, causes, asked):
    """`causes` and `asked` are {name: label}."""
    rows = []
    for cause, what in causes.items():
        for threads in THREADS:
            for who in (builds.BEFORE, builds.NOW):
                took = statistics.median(run["took_ms"][cause] for run in _of(runs, who, threads))
                cells = [
                    _cell(_seen(runs, who, threads, cause, prober, field))
                    for prober in asked
                    for field in FIELDS
                ]
                rows.append([what, threads, who, f"{took:,.0f}", *cells])
    header = ["meanwhile", "threads", "build", "took ms"]
    for label in asked.values():
        header += [f"worst {label} ms", "idle ms"]
    return terminal.table(header, rows)
