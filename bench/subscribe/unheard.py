"""The cost of publishing to a channel that nobody follows."""

import contextlib
import statistics

import pubsub
from harness import load, report, terminal

TITLE = "Publish that nobody hears"
TARGETS = ("bench-pubsub-load", "ferrite-server")
WAYS = {
    "unary": ("16 connections, a message each", {"publishers": 16}),
    "frames": ("8 connections, 64 messages together", {"publishers": 8, "burst": 64}),
}
WHO = ("ferrite", "redis")


def add_arguments(_):
    """Rounds and seconds are those of the fan-out."""


def measure(build_dir, arguments):
    with contextlib.ExitStack() as stack:
        compared = {
            "ferrite": stack.enter_context(pubsub.ferrite(build_dir)),
            "redis": stack.enter_context(pubsub.redis()),
        }
        runs = {
            f"{name}, {who}": pubsub.Load(build_dir, compared[who], subscribers=0, **options).run
            for name, (_, options) in WAYS.items()
            for who in WHO
        }
        outcomes = load.take_turns(
            runs,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            progress=terminal.Progress((arguments.rounds + 1) * len(runs)),
        )
    return {"rounds": arguments.rounds, "seconds": arguments.seconds, "outcomes": outcomes}


def _ratio(figures, name, field):
    outcomes = figures["outcomes"]
    return report.median_ratio(
        *([each[field] for each in outcomes[f"{name}, {who}"]] for who in WHO)
    )


def ratios(figures):
    return {
        "publish_idle_unary_cpu_vs_redis": _ratio(figures, "unary", "cpu_us"),
        "publish_idle_unary_vs_redis": _ratio(figures, "unary", "per_second"),
        "publish_idle_cpu_vs_redis": _ratio(figures, "frames", "cpu_us"),
        "publish_idle_vs_redis": _ratio(figures, "frames", "per_second"),
    }


def markdown(figures):
    rows = [
        [
            label,
            who.capitalize(),
            *(
                f"{statistics.median(run[field] for run in figures['outcomes'][f'{name}, {who}']):{form}}"
                for field, form in (
                    ("per_second", ",.0f"),
                    ("publish_p50_us", ",.0f"),
                    ("publish_p99_us", ",.0f"),
                    ("cpu_us", ".2f"),
                    ("load_cpu_us", ".2f"),
                )
            ),
        ]
        for name, (label, _) in WAYS.items()
        for who in WHO
    ]
    header = ["published by", "to", "published/s", "p50 us", "p99 us", "server CPU us", "load CPU us"]
    return f"""Medians of {figures["rounds"]} rounds of {figures["seconds"]:g} s in turns; messages of 64 B.

{terminal.table(header, rows)}"""
