"""Operations per second of every map, taking turns."""

import statistics
import sys
import typing

import map_process
from harness import report, terminal

TITLE = "Speed"
TARGETS = ("bench-store",)
VALUE_BYTES = 64
MAPS = {
    "ferrite": "ferrite::Store",
    "dashmap": "DashMap",
    "flurry": "flurry",
    "absl_shards": "absl, 64 shards",
    "shared_mutex": "shared_mutex",
    "mutex": "mutex",
}
OPERATIONS = {
    "get": "GET",
    "set": "SET",
    "mixed": "80/20",
    "incr": "INCR",
    "mget16": "MGET of 16",
    "mget64": "MGET of 64",
    "mset16": "MSET of 16",
    "mdelete16": "MDELETE, MSET of 16",
}
SKEWED = ("get", "set", "mixed")
THREADS = (1, 2, 8)


class Cell(typing.NamedTuple):
    """One thing to measure; `command` asks a map process for it."""

    operation: str
    distribution: str
    threads: int

    @property
    def command(self):
        return f"{self.operation} {self.distribution} {self.threads}"

    @property
    def ratio_name(self):
        skew = "" if self.distribution == "uniform" else f"_{self.distribution}"
        return f"{self.operation}{skew}_{self.threads}t_vs_dashmap"


# Deletes come last, as they leave their traces in a map's memory.
CELLS = [
    Cell(operation, distribution, threads)
    for operation in OPERATIONS
    for distribution in ("uniform", "zipf")
    if distribution == "uniform" or operation in SKEWED
    for threads in THREADS
]
REPORTED = [
    cell
    for cell in CELLS
    if cell.threads == 2
    or (cell.threads == 8 and (cell.operation in SKEWED or cell.operation == "mget16"))
    if cell.operation != "incr"
]


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.25, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=1_000_000)


def measure(build_dir, arguments):
    """Every round fills fresh maps, and within a round the maps take turns cell by cell, in another
    order each round: what slows the machine for a while slows all of them, and the luck of one
    memory layout is averaged out.

    "operations_per_second" is {map: {command of the cell: [one figure per round]}}.
    """
    rates = {name: {cell.command: [] for cell in CELLS} for name in MAPS}
    descriptions = {}
    digests = set()
    progress = terminal.Progress(arguments.rounds * len(CELLS) * len(MAPS))
    for turn in range(arguments.rounds):
        order = [*MAPS][turn % len(MAPS) :] + [*MAPS][: turn % len(MAPS)]
        processes = {}
        for name in order:
            processes[name] = map_process.MapProcess(
                build_dir, name, keys=arguments.keys, value_bytes=VALUE_BYTES
            )
            descriptions[name], digest = processes[name].wait_until_filled()
            digests.add(digest)
        if len(digests) > 1:
            sys.exit("workload.h and workload.rs differ: the maps would be asked for other keys")
        for cell in CELLS:
            for name in order:
                rate = processes[name].operations_per_second(cell.command, arguments.seconds)
                rates[name][cell.command].append(rate)
                progress.step(f"round {turn + 1}, {cell.command}, {MAPS[name]}")
        for process in processes.values():
            process.close()
    return {
        "maps": {name: descriptions[name] for name in MAPS},
        "keys": arguments.keys,
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "operations_per_second": rates,
    }


def ratio(rates, cell, peer="dashmap", name="ferrite"):
    return report.median_ratio(rates[name][cell.command], rates[peer][cell.command])


def ratios(figures):
    rates = figures["operations_per_second"]
    return {cell.ratio_name: ratio(rates, cell) for cell in REPORTED}


def table(rates):
    """Million operations per second, and in parentheses the ratio to DashMap."""
    rows = []
    for cell in CELLS:
        row = [OPERATIONS[cell.operation], cell.distribution, cell.threads]
        for name in MAPS:
            median = statistics.median(rates[name][cell.command]) / 1e6
            row.append(f"{median:.2f} ({ratio(rates, cell, name=name):.2f})")
        rows.append(row)
    return terminal.table(["operation", "keys", "threads", *MAPS.values()], rows)


def spread(rates):
    """How far the rounds lie apart: the median over all cells of (largest - smallest) / median."""
    cells = [rates[name][cell.command] for name in MAPS for cell in CELLS]
    return statistics.median((max(cell) - min(cell)) / statistics.median(cell) for cell in cells)


def markdown(figures):
    rates = figures["operations_per_second"]
    return f"""Maps: {"; ".join(figures["maps"].values())}.

Million operations per second, in parentheses the ratio to DashMap. {figures["keys"]:,} keys of
16 B, values of {VALUE_BYTES} B. Keys are chosen uniformly, or by Zipf's law with exponent 0.99. A
batch counts once per key; a map without calls for many keys takes them one by one. Deletes need
keys that are there, so each MDELETE is followed by an MSET of the same keys, and the pair counts
as one. Medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in which the maps took
turns; half of the cells varied by less than {spread(rates):.0%} between rounds. A read copies the
value into a buffer that is reused; a write over an existing key reuses its memory where the map
allows that (all but flurry).

{table(rates)}

![Ferrite and others beside DashMap](store_speed.png)"""


def draw(figures, directory):
    """A row per cell: a bar for Ferrite's ratio to DashMap, dots for those of the others."""
    from harness import plot

    rates = figures["operations_per_second"]
    figure, axes = plot.axes(8, 0.24 * len(CELLS) + 1.2)
    rows = range(len(CELLS))
    axes.barh(rows, [ratio(rates, cell) for cell in CELLS], color=plot.OURS, label="Ferrite")
    others = [name for name in MAPS if name not in ("ferrite", "dashmap")]
    for colour, name in zip(plot.OTHERS, others, strict=False):
        axes.plot(
            [ratio(rates, cell, name=name) for cell in CELLS],
            rows,
            "o",
            color=colour,
            markersize=4,
            label=MAPS[name],
        )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log", base=2)
    axes.set_xlim(left=1 / 16)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(
        rows,
        [f"{OPERATIONS[c.operation]}, {c.distribution}, {c.threads} t" for c in CELLS],
        fontsize=8,
    )
    axes.set_ylim(len(CELLS) - 0.4, -0.6)
    axes.set_xlabel("operations per second / DashMap's (more is better)")
    axes.legend(fontsize=8, loc="lower right")
    plot.save(figure, directory / "store_speed.png")
