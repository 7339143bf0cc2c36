"""One channel, many subscribers: how many messages arrive, what each costs, and how old they are."""

import contextlib
import dataclasses
import statistics

import pubsub
from harness import load, plot, report, terminal

TITLE = "Fan-out"
TARGETS = ("bench-pubsub-load", "ferrite-server")
SHARED_CONNECTIONS = 4
PACED_PER_SECOND = 20_000  # messages received, of all subscribers together
MOST_PUBLISHED_PER_SECOND = 5_000
WHO = {
    "ferrite": "Ferrite",
    "shared": f"Ferrite, streams on {SHARED_CONNECTIONS} connections",
    "redis": "Redis",
}


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to publish."""

    label: str
    suffix: str  # of its ratios
    publishers: int = 1
    burst: int = 1


WAYS = {
    "frames": Way("8 publishers, 64 messages together", "", publishers=8, burst=64),
    "many": Way("16 publishers, a message each", "_many", publishers=16),
    "one": Way("1 publisher, a message at a time", "_one"),
}


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1, help="length of one measurement")
    parser.add_argument(
        "--subscribers",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[1, 10, 100, 1000],
        metavar="N,...",
    )


def _rate(subscribers):
    return min(MOST_PUBLISHED_PER_SECOND, PACED_PER_SECOND / subscribers)


def _runs(build_dir, subscribers, ferrite, redis):
    """{"way, who": function that measures it}"""
    ways = {name: {"publishers": way.publishers, "burst": way.burst} for name, way in WAYS.items()}
    ways["paced"] = {"rate": _rate(subscribers)}
    runs = {}
    for name, options in ways.items():
        for who in WHO:
            streams = -(-subscribers // SHARED_CONNECTIONS) if who == "shared" else 1
            if who == "shared" and streams == 1:
                continue
            options = options | {"subscribers": subscribers, "streams": streams}
            server = redis if who == "redis" else ferrite
            runs[f"{name}, {who}"] = pubsub.Load(build_dir, server, **options).run
    return runs


def measure(build_dir, arguments):
    turns = sum(4 * (2 if count <= SHARED_CONNECTIONS else 3) for count in arguments.subscribers)
    progress = terminal.Progress((arguments.rounds + 1) * turns)
    sizes = []
    for subscribers in arguments.subscribers:
        with contextlib.ExitStack() as stack:
            ferrite = stack.enter_context(pubsub.ferrite(build_dir))
            redis = stack.enter_context(pubsub.redis())
            outcomes = load.take_turns(
                _runs(build_dir, subscribers, ferrite, redis),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                progress=progress,
            )
        sizes.append(
            {"subscribers": subscribers, "rate": _rate(subscribers), "outcomes": outcomes}
        )
    return {"rounds": arguments.rounds, "seconds": arguments.seconds, "sizes": sizes}


def _ratio(size, name, who, field):
    outcomes = size["outcomes"]
    return report.median_ratio(
        *([each[field] for each in outcomes[f"{name}, {whose}"]] for whose in (who, "redis"))
    )


def ratios(figures):
    found = {}
    for size in figures["sizes"]:
        count = size["subscribers"]
        for who in ("shared", "ferrite"):
            if f"frames, {who}" not in size["outcomes"]:
                continue
            start = f"fanout{count}" + "_shared" * (who == "shared")
            for name, way in reversed(WAYS.items()):
                if who == "shared" and name != "frames":
                    continue
                for field, suffix in (("cpu_us", "_cpu"), ("per_second", "")):
                    found[f"{start}{way.suffix}{suffix}_vs_redis"] = _ratio(size, name, who, field)
    return found


def _median(runs, field):
    return statistics.median(run[field] for run in runs)


def _limit(runs):
    return "load" if _median(runs, "load_cpu_us") > _median(runs, "cpu_us") else "server"


def _speed_table(size):
    rows = [
        [
            way.label,
            label,
            f"{_median(runs, 'per_second'):,.0f}",
            f"{_median(runs, 'cpu_us'):.2f}",
            f"{_median(runs, 'load_cpu_us'):.2f}",
            _limit(runs),
            sum(run["missing"] for run in runs),
            sum(run["gaps"] for run in runs),
        ]
        for name, way in WAYS.items()
        for who, label in WHO.items()
        if (runs := size["outcomes"].get(f"{name}, {who}"))
    ]
    header = ["published by", "received from", "received/s", "server CPU us", "load CPU us"]
    return terminal.table([*header, "busier", "missing", "announced gaps"], rows)


def _latency_table(figures):
    rows = [
        [
            f"{size['subscribers']:,}",
            f"{size['rate']:,.0f}",
            label,
            *(f"{_median(runs, field):,.0f}" for field in ("p50_us", "p99_us")),
            f"{_median(runs, 'cpu_us'):.2f}",
            sum(run["missing"] + run["gaps"] for run in runs),
        ]
        for size in figures["sizes"]
        for who, label in WHO.items()
        if (runs := size["outcomes"].get(f"paced, {who}"))
    ]
    header = ["subscribers", "published/s", "received from", "p50 us", "p99 us", "server CPU us"]
    return terminal.table([*header, "missing"], rows)


def markdown(figures):
    tables = "\n\n".join(
        f"{size['subscribers']:,} subscribers:\n\n{_speed_table(size)}" for size in figures["sizes"]
    )
    return f"""Messages of 64 B to one channel, over loopback TCP; medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in
which the servers took turns. Each server has one thread on a core of its own; publishers and subscribers
are one program on the other (`bench-pubsub-load`: epoll, no library, bytes of HTTP/2 and RESP). A
subscriber has a connection of its own, but where it says that streams share connections. Every message
is counted at every subscriber. Publishers send when the last messages are answered, and wait while
subscribers are 1,024 messages behind; messages that travel together are a frame of Pipeline or a
pipeline of PUBLISH. CPU is per message received; where "busier" is the load, the server could do more.

{tables}

From when a message was due to its receipt, at a fixed rate, each published by itself:

{_latency_table(figures)}

![Messages received per second](subscribe_fanout.png)"""


def draw(figures, directory):
    figure, axes = plot.axes(10, 4)
    colors = dict(zip(WHO, (plot.OURS, plot.OTHERS[2], plot.OTHERS[0]), strict=True))
    for name, style in (("frames", "-"), ("many", "--")):
        for who, label in WHO.items():
            points = [
                (size["subscribers"], _median(runs, "per_second"))
                for size in figures["sizes"]
                if (runs := size["outcomes"].get(f"{name}, {who}"))
            ]
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    style,
                    marker="o",
                    color=colors[who],
                    label=f"{label}: {WAYS[name].label}",
                )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("subscribers of one channel")
    axes.set_ylabel("messages received per second")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.02, 0.5))
    plot.save(figure, directory / "subscribe_fanout.png")
