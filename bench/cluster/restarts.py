"""Calls that fail while one node after the other is started anew."""

import json
import subprocess

import nodes
from harness import terminal

TITLE = "One node after the other is started anew"
TARGETS = ("bench-restart-load", "ferrite", "ferrite-server")


def add_arguments(parser):
    parser.add_argument("--rolls", type=int, default=2, help="how often all nodes are started anew")


def measure(build_dir, arguments):
    progress = terminal.Progress(arguments.rolls * nodes.NODES)
    with nodes.running(build_dir, "--max-memory=64MiB", "--threads=1") as made:
        command = [build_dir / "bin" / "bench-restart-load", f"--seeds={','.join(nodes.addresses(made))}"]
        load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        nodes.pause(1)
        for _ in range(arguments.rolls):
            for name, node in made.nodes.items():
                node.leave()
                node.start()
                made.settle()
                progress.step(name)
        nodes.pause(1)
        printed, _ = load.communicate()
        if load.returncode != 0:
            raise RuntimeError(f"bench-restart-load ended with {load.returncode}")
    return {"rolls": arguments.rolls, "outcome": json.loads(printed)}


def ratios(figures):
    return {"restart_failed_calls": figures["outcome"]["failed"]}


def markdown(figures):
    outcome = figures["outcome"]
    failures = "".join(f"\n- {count} x {message}" for message, count in outcome["failures"].items())
    return f"""Eight threads read, set, count (with a request id) and read in batches through the client library, which knows all three
nodes as seeds, while each node gets SIGTERM and is started again, {figures["rolls"]} times in turn: {outcome["calls"]:,} calls, of which {outcome["failed"]}
failed. The longest took {outcome["longest_call_s"]:.2f} s.{failures}"""
