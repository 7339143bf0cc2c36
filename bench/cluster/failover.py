"""How long slots are not served when their node dies, stands still or leaves."""

import statistics

import nodes
from harness import terminal

TITLE = "How long slots are not served"
TARGETS = ("chaos-load", "ferrite", "ferrite-server")

FAULTS = {
    "kill": "kill -9",
    "stop": "SIGSTOP",
    "drain": "SIGTERM: it hands over",
}


def add_arguments(parser):
    parser.add_argument("--failovers", type=int, default=3, help="how often each fault comes")


def _hit(made, node, fault):
    """Has it happen to the node; returns what ends it."""
    if fault == "kill":
        node.kill()
        return node.start
    if fault == "stop":
        node.freeze()
        return node.thaw
    node.leave()
    return node.start


def _run(made, node, fault, prefix):
    """The clients' judgement of one fault."""
    clients = nodes.judged_load(made, prefix)
    nodes.pause(1)
    clients.tell("moving")
    end = _hit(made, node, fault)
    made.settle(without=[node.name])
    nodes.pause(0.5)  # in which all keys are asked for again
    outcome = clients.finish()
    end()
    made.settle()
    if outcome["violations"]:
        raise RuntimeError(f"promises were broken: {outcome['violations']}")
    return outcome


def measure(build_dir, arguments):
    progress = terminal.Progress(arguments.failovers * len(FAULTS))
    outcomes = {fault: [] for fault in FAULTS}
    with nodes.running(build_dir, "--max-memory=64MiB", "--threads=1") as made:
        every = list(made.nodes.values())
        for turn in range(arguments.failovers):
            for number, fault in enumerate(FAULTS):
                node = every[(turn + number) % len(every)]
                outcomes[fault].append(_run(made, node, fault, f"{fault}{turn}."))
                progress.step(fault)
    return {"failovers": arguments.failovers, "outcomes": outcomes}


def _silences(figures, fault):
    return [outcome["longest_silence_s"] for outcome in figures["outcomes"][fault]]


def ratios(figures):
    return {f"failover_{fault}_seconds": max(_silences(figures, fault)) for fault in FAULTS}


def markdown(figures):
    rows = [
        [
            label,
            f"{statistics.median(_silences(figures, fault)):.2f}",
            f"{max(_silences(figures, fault)):.2f}",
            f"{sum(outcome['operations'] for outcome in figures['outcomes'][fault]):,}",
        ]
        for fault, label in FAULTS.items()
    ]
    header = ["what happens to a node", "s without service, median", "most", "answers checked"]
    return f"""Twelve clients call three nodes about 64 keys while one thing happens to one of them; each {figures["failovers"]} times. Without service is
the longest time in which all calls about a key failed or waited, whichever node was asked. Leases are of {nodes.LEASE_TTL_S} s, so the bound is
2 x lease + 1 = {nodes.BOUND_S} s. What the clients were told was checked as by tests/chaos.

{terminal.table(header, rows)}"""
