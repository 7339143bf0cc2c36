"""What each attack of tests/attack does to a server, and to an ordinary client of it."""

import json
import os
import pathlib
import subprocess

from harness import terminal

TITLE = "What they do"
TARGETS = ("ferrite-server", "ferrite_python_stubs")
MIB = 1 << 20
TESTS = pathlib.Path(__file__).resolve().parent.parent.parent / "tests"
# Debian's own, which finds Debian's grpc.
PYTHON = "/usr/bin/python3"


def add_arguments(parser):
    parser.add_argument("--attacks", default="", metavar="NAME,...", help="some of them; all by default")
    parser.add_argument("--attack-seconds", type=float, default=10, help="of each attack")


def measure(build_dir, arguments):
    environment = {
        **os.environ,
        "FERRITE_SERVER_BINARY": str(build_dir / "bin" / "ferrite-server"),
        "PYTHONPATH": f"{TESTS / 'e2e'}:{build_dir / 'tests' / 'python_stubs'}",
    }
    command = [PYTHON, "-B", TESTS / "attack" / "run", "--json", "--seconds", str(arguments.attack_seconds)]
    command += filter(None, arguments.attacks.split(","))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return {"seconds": arguments.attack_seconds, "attacks": json.loads(done.stdout)}


def ratios(figures):
    attacks = figures["attacks"].values()
    return {
        "worst_peak_rss_vs_documented": max(seen["peak_bytes"] / seen["documented_bytes"] for seen in attacks),
        "worst_share_served": min(seen["share_served"] for seen in attacks),
        "worst_p99_ms": max(seen["p99_ms"] for seen in attacks),
        "worst_rss_after_vs_before": max(seen["after_bytes"] / seen["before_bytes"] for seen in attacks),
    }


def markdown(figures):
    rows = [
        [
            name,
            "yes" if seen["held"] else "no",
            f"{seen['peak_bytes'] / MIB:.1f}",
            f"{seen['documented_bytes'] / MIB:.0f}",
            f"{seen['share_served']:.1%}",
            f"{seen['p99_ms']:.1f}",
            f"{seen['before_bytes'] / MIB:.1f}",
            f"{seen['after_bytes'] / MIB:.1f}",
            ", ".join(f"{reason} {count}" for reason, count in seen["cut"].items()),
        ]
        for name, seen in figures["attacks"].items()
    ]
    columns = [
        "attack", "held", "peak MiB above start", "allowed", "Gets served", "p99 ms", "MiB before", "MiB 10 s after", "connections cut"
    ]  # fmt: skip
    return f"""Each attack of tests/attack for {figures["seconds"]:g} s on a server of its own, beside a client with 100 Gets a second that has a core of
its own as far as attackers go; the server has two threads on all cores. Allowed is what the server's limits leave, beside entries,
for what the attack can fill.

{terminal.table(columns, rows)}"""
