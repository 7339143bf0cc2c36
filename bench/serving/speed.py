"""Operations per second, latency and CPU time beside the peers."""

import contextlib
import statistics

import fleet
import subjects
from harness import load, plot, report, terminal

TITLE = "Speed"
TARGETS = ("bench-echo-server", "bench-peer-load", "ferrite", "ferrite-server")


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument(
        "--values",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[64, 1024, 16384],
        metavar="BYTES,...",
        help="sizes of values",
    )


def _keys(keys, value_bytes):
    """Fewer keys of large values: they have to fit into memory four times."""
    return min(keys, 50_000) if value_bytes >= subjects.LARGE_BYTES else keys


def measure(build_dir, arguments):
    known = subjects.SUBJECTS
    chosen = {
        size: [name for name, subject in known.items() if subject.measures(size)]
        for size in arguments.values
    }
    progress = terminal.Progress((arguments.rounds + 1) * sum(map(len, chosen.values())))
    sizes = []
    for value_bytes, names in chosen.items():
        keys = _keys(arguments.keys, value_bytes)
        with contextlib.ExitStack() as stack:
            compared = fleet.Fleet(stack, build_dir, keys=keys, value_bytes=value_bytes)
            outcomes = load.take_turns(
                {name: compared.measures(known[name]) for name in names},
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                progress=progress,
            )
        in_flight = {name: known[name].operations_in_flight(value_bytes) for name in names}
        sizes.append(
            {"value_bytes": value_bytes, "keys": keys, "in_flight": in_flight, "outcomes": outcomes}
        )
    return {"rounds": arguments.rounds, "seconds": arguments.seconds, "sizes": sizes}


def _median(outcomes, field):
    return statistics.median(outcome[field] for outcome in outcomes)


def ratios(figures):
    """Those of the smallest values last, and with plain names."""
    found = {}
    for size in reversed(figures["sizes"]):
        outcomes = size["outcomes"]
        suffix = "" if size is figures["sizes"][0] else f"_{size['value_bytes']}b"
        for name, (numerator, denominator, field) in subjects.RATIOS.items():
            if numerator in outcomes and denominator in outcomes:
                found[name + suffix] = report.median_ratio(
                    *([each[field] for each in outcomes[who]] for who in (numerator, denominator))
                )
    return found


def _labels():
    return {name: subject.label for name, subject in subjects.SUBJECTS.items()}


def _table(size):
    header = ["what", "in flight", "operations/s", "p50 us", "p99 us", "server CPU us", "load CPU us"]
    rows = [
        [
            _labels()[name],
            size["in_flight"][name],
            f"{_median(runs, 'per_second'):,.0f}",
            f"{_median(runs, 'p50_us'):,.0f}",
            f"{_median(runs, 'p99_us'):,.0f}",
            f"{_median(runs, 'cpu_us'):.2f}",
            f"{_median(runs, 'load_cpu_us'):.2f}",
        ]
        for name, runs in size["outcomes"].items()
    ]
    return terminal.table(header, rows)


def markdown(figures):
    tables = "\n\n".join(
        f"Values of {size['value_bytes']:,} B, {size['keys']:,} keys:\n\n{_table(size)}"
        for size in figures["sizes"]
    )
    return f"""Medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in which the servers took turns, over
loopback TCP; keys of {load.KEY_BYTES} B, uniformly chosen. Each server has one thread on a core of its own; the load
has the other. An operation is a key read or written; CPU is per operation; p50 and p99 are of calls,
frames, or bursts of commands. Ferrite and the echo are driven by `ferrite bench` over one connection,
Redis and memcached by `bench-peer-load` (epoll, no library), a connection per call or burst in
flight. The echo answers every call with the same 64 bytes.

{tables}

![Operations per second](serving_speed.png)"""


def draw(figures, directory):
    names = list(figures["sizes"][0]["outcomes"])
    figure, axes = plot.axes(9, 0.35 * len(names) + 1.2)
    for index, name in enumerate(reversed(names)):
        runs = figures["sizes"][0]["outcomes"][name]
        ours = subjects.SUBJECTS[name].server == "ferrite"
        rate = _median(runs, "per_second")
        axes.barh(index, rate, color=plot.OURS if ours else plot.OTHERS[-1])
        axes.text(rate, index, f" {rate:,.0f}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [_labels()[name] for name in reversed(names)])
    axes.margins(x=0.15)
    axes.set_xlabel(
        f"operations/s, values of {figures['sizes'][0]['value_bytes']} B, one core (more is better)"
    )
    plot.save(figure, directory / "serving_speed.png")
