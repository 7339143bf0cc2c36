"""What listeners to key events cost the clients that write the keys."""

import contextlib
import statistics

import pubsub
from harness import load, report, servers, terminal

TITLE = "What events cost a SET"
TARGETS = ("bench-peer-load", "bench-pubsub-load", "ferrite", "ferrite-server")
KEYS = 100_000
VALUE_BYTES = 64
WRITTEN = "k"  # what the keys begin with that are written
# {name: (label, what is listened to)}
FERRITE = {
    "nobody": ("nobody listens", None),
    "elsewhere": ("other keys", {"key_prefix": "other:"}),
    "keys": ("these keys", {"key_prefix": WRITTEN}),
    "values": ("these keys, with values", {"key_prefix": WRITTEN, "with_values": "true"}),
}
# {name: (label, notify-keyspace-events, what is listened to)}
REDIS = {
    "redis_off": ("events off", "", None),
    "redis_nobody": ("KEA, nobody listens", "KEA", None),
    "redis_elsewhere": ("KEA, other keys", "KEA", {"key_prefix": "other:"}),
    "redis_keys": ("KEA, these keys", "KEA", {"key_prefix": WRITTEN}),
}
WAYS = {
    "frames": (
        "64 together",
        {"mode": "pipeline", "batch": 64, "in_flight": 8},
        {"pipeline": 64, "connections": 8},
    ),
    "unary": ("a SET each", {"mode": "unary", "in_flight": 16}, {"connections": 16}),
}


def add_arguments(_):
    """Rounds and seconds are those of the fan-out."""


class _Written:
    """A server whose keys are written, with or without a listener."""

    def __init__(self, stack, build_dir, server, topic):
        self._build_dir = build_dir
        self._server = server
        self._end = None
        if topic is not None:
            listener = pubsub.Load(build_dir, server, subscribers=1, **topic)
            self._end = stack.enter_context(listener.listening())

    def measures(self, way):
        """A function that measures SETs made in this way."""
        _, ours, theirs = WAYS[way]
        _, cores = load.split_cores()
        common = {"op": "set", "keys": KEYS, "value_size": VALUE_BYTES}
        if self._server.kind == "redis":
            options = common | theirs | {"protocol": "redis", "port": self._server.port}
            program = self._build_dir / "bin" / "bench-peer-load"
            return load.PeerLoad(program, self._server.pid, cores=cores, **options).run
        options = common | ours | {"connections": 1, "threads": 1}
        program = self._build_dir / "bin" / "ferrite"
        return load.FerriteBench(program, self._server, cores=cores, **options).run

    def heard(self):
        """What the listener received."""
        return self._end() if self._end is not None else None


def measure(build_dir, arguments):
    with contextlib.ExitStack() as stack:
        written = {}
        for name, (_, topic) in FERRITE.items():
            server = stack.enter_context(pubsub.ferrite(build_dir))
            servers.fill_ferrite(build_dir, server, keys=KEYS, value_size=VALUE_BYTES)
            written[name] = _Written(stack, build_dir, server, topic)
        for name, (_, events, topic) in REDIS.items():
            server = stack.enter_context(pubsub.redis(notify_keyspace_events=events))
            written[name] = _Written(stack, build_dir, server, topic)
        runs = {
            f"{way}, {name}": each.measures(way) for way in WAYS for name, each in written.items()
        }
        outcomes = load.take_turns(
            runs,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            progress=terminal.Progress((arguments.rounds + 1) * len(runs)),
        )
        heard = {name: each.heard() for name, each in written.items()}
    return {
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "outcomes": outcomes,
        "heard": heard,
    }


def _ratio(figures, way, numerator, denominator, field="cpu_us"):
    outcomes = figures["outcomes"]
    return report.median_ratio(
        *([each[field] for each in outcomes[f"{way}, {who}"]] for who in (numerator, denominator))
    )


def ratios(figures):
    return {
        "redis_set_with_listener_cost": _ratio(figures, "frames", "redis_keys", "redis_off"),
        "redis_set_events_cost": _ratio(figures, "frames", "redis_nobody", "redis_off"),
        "set_with_listener_vs_redis": _ratio(figures, "frames", "keys", "redis_keys", "per_second"),
        "set_with_values_cost": _ratio(figures, "frames", "values", "nobody"),
        "set_with_listener_elsewhere_cost": _ratio(figures, "frames", "elsewhere", "nobody"),
        "set_with_listener_unary_cost": _ratio(figures, "unary", "keys", "nobody"),
        "set_with_listener_cost": _ratio(figures, "frames", "keys", "nobody"),
    }


def markdown(figures):
    def median(way, name, field):
        return statistics.median(run[field] for run in figures["outcomes"][f"{way}, {name}"])

    labels = {name: f"Ferrite, {label}" for name, (label, _) in FERRITE.items()}
    labels |= {name: f"Redis, {label}" for name, (label, _, _) in REDIS.items()}
    nobody = dict.fromkeys(FERRITE, "nobody") | dict.fromkeys(REDIS, "redis_off")
    rows = [
        [
            label,
            WAYS[way][0],
            f"{median(way, name, 'per_second'):,.0f}",
            f"{median(way, name, 'p99_us'):,.0f}",
            f"{median(way, name, 'cpu_us'):.2f}",
            f"{_ratio(figures, way, name, nobody[name]):.2f}",
        ]
        for way in WAYS
        for name, label in labels.items()
    ]
    header = ["who listens", "sent", "SETs/s", "p99 us", "server CPU us", "of that without"]
    heard = ", ".join(
        f"{labels[name]}: {each['received']:,} events and {each['gaps']:,} announced gaps"
        for name, each in figures["heard"].items()
        if each is not None and each["received"] > 0
    )
    return f"""SETs of {VALUE_BYTES} B to {KEYS:,} keys; medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in turns, each row a
server of its own. Who listens shares a core with who writes, and is slower than they are: Redis queues
for it without a limit here (client-output-buffer-limit is off), Ferrite has its history and then says
that events are missing.

{terminal.table(header, rows)}

What the listeners received: {heard}."""
