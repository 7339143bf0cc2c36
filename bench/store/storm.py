"""A storm of writes: what a store takes beyond its limit, and how long a write may take."""

import json
import subprocess

from harness import terminal

TITLE = "Storm"
TARGETS = ("bench-store-storm", "bench-store-growth")
MIB = 1 << 20
# How many threads write.
WRITERS = (1, 2)


def add_arguments(parser):
    parser.add_argument("--max-memory", default="256MiB", help="limit in the storm")
    parser.add_argument("--storm-seconds", type=float, default=21)
    parser.add_argument("--growth-keys", type=int, default=5_000_000)
    parser.add_argument("--idle-seconds", type=float, default=5, help="without a store, to compare")


def run_program(build_dir, name, **options):
    """Runs a program of ours with --option value, and returns the JSON that it prints."""
    command = [build_dir / "bin" / name]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(build_dir, arguments):
    """{"growth", "storm"}: what came of each with as many writers as WRITERS says."""
    progress = terminal.Progress(2 * len(WRITERS))
    options = {
        "growth": {"keys": arguments.growth_keys},
        "storm": {"max_memory": arguments.max_memory, "seconds": arguments.storm_seconds},
    }
    figures = {name: [] for name in options}
    for name, own in options.items():
        for writers in WRITERS:
            program = f"bench-store-{name}"
            idle = arguments.idle_seconds
            figures[name].append(
                run_program(build_dir, program, threads=writers, idle_seconds=idle, **own)
            )
            progress.step(f"{name}, {writers} writing")
    return figures


def _peak_resident(storm):
    return max(storm["peak_resident_bytes"], *(resident for _, resident, _ in storm["samples"]))


def ratios(figures):
    """Of one writer, so that the sweep has a core of its own on a machine of two; memory at worst."""
    return {
        "worst_set_ms_growth": figures["growth"][0]["sets"]["slowest"]["wall_ms"],
        "worst_set_ms_storm": figures["storm"][0]["writes"]["slowest"]["wall_ms"],
        "rss_over_limit": max(
            _peak_resident(storm) / storm["limit_bytes"] for storm in figures["storm"]
        ),
    }


CALLS_HEADER = ["calls", "p50 us", "p99 us", "p99.99 us", "slowest ms", "its CPU ms"]
CALLS_HEADER += ["undisturbed ms", "most CPU ms"]
CALLS_TEXT = """"Slowest" is by the wall clock, and "its CPU" how much of that its thread computed;
the rest it waited, for a lock or for a core. "Undisturbed" is the slowest call during which the
machine did not take the core away from its thread, and "most CPU" the most that any one computed."""


def calls_row(calls):
    """The cells of CALLS_HEADER."""
    slowest = calls["slowest"]
    return [
        f"{calls['calls']:,}",
        *(f"{calls[quantile]:.2f}" for quantile in ("p50_us", "p99_us", "p9999_us")),
        f"{slowest['wall_ms']:.2f}",
        f"{slowest['cpu_ms']:.2f}",
        f"{calls['slowest_undisturbed']['wall_ms']:.2f}",
        f"{calls['slowest_by_cpu']['cpu_ms']:.2f}",
    ]


def table(figures):
    """A row of each measurement with one writer, then the same with two."""
    rows = []
    for growth, storm in zip(figures["growth"], figures["storm"], strict=True):
        writers = f"{storm['threads']} writing"
        rows += [
            [f"{writers}, growth to {growth['keys']:,} keys", *calls_row(growth["sets"])],
            ["the machine alone, before it", *calls_row(growth["idle"])],
            [f"{writers}, storm", *calls_row(storm["writes"])],
            *(
                [f"{writers}, {phase['name']}", *calls_row(phase["writes"])]
                for phase in storm["phases"]
            ),
            ["the machine alone, before it", *calls_row(storm["idle"])],
        ]
    return terminal.table(["writes", *CALLS_HEADER], rows)


def _memory(storm):
    limit, peak = storm["limit_bytes"], _peak_resident(storm)
    own = max(counted for _, _, counted in storm["samples"])
    return f"""- {storm["threads"]} writing: beyond what it had before, the process had up to {peak / MIB:.1f} MiB,
  {peak / limit:.1%} of the limit; by its own count the store had up to {own / MIB:.1f} MiB in the samples taken
  every 50 ms. It evicted {storm["evictions"]:,} entries and refused {storm["refused"]:,} writes."""


def markdown(figures):
    storms = figures["storm"]
    last = storms[-1]
    memory = "\n".join(map(_memory, storms))
    return f"""One thread writes as fast as it can, then two, into a store with a limit of
{last["limit_bytes"] / MIB:.0f} MiB; every {last["seconds"] / len(last["phases"]):.0f} s the sizes change. One more thread sweeps, as in the
server. On a machine of two cores it has one to itself beside one writer, of which the ratios below
are; beside two, threads are put aside now and then, also while they hold a lock that another waits
for. Growth is without a limit. "The machine alone" is as many threads that only
copy a kilobyte each, for a few seconds before: they have no lock to wait for.

{memory}

![Memory over time, two writing](store_storm.png)

{CALLS_TEXT}

{table(figures)}"""


def draw(figures, directory):
    """Memory over time, beside the limit."""
    from harness import plot

    storm = figures["storm"][-1]
    limit = storm["limit_bytes"] / MIB
    seconds, resident, counted = zip(*storm["samples"], strict=True)
    figure, axes = plot.axes(9, 4.2)
    axes.plot(seconds, [b / MIB for b in resident], color=plot.OURS, label="growth of the process")
    axes.plot(seconds, [b / MIB for b in counted], color=plot.OTHERS[1], label="the store's count")
    axes.axhline(limit, color="black", linewidth=1, label="limit")
    axes.axhline(1.1 * limit, color=plot.OTHERS[0], linestyle="--", label="limit + 10 %")
    length = storm["seconds"] / len(storm["phases"])
    for number, phase in enumerate(storm["phases"]):
        axes.axvline(number * length, color="grey", linewidth=0.5)
        axes.text((number + 0.03) * length, 0.02 * limit, phase["name"], fontsize=7)
    axes.set_xlim(0, storm["seconds"])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("MiB")
    axes.legend(fontsize=8, ncol=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    plot.save(figure, directory / "store_storm.png")
