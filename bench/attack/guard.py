"""What the frame guard costs for each frame."""

import json
import subprocess

from harness import terminal

TITLE = "What it costs to count frames"
TARGETS = ("bench-guard",)


def add_arguments(parser):
    parser.add_argument("--guard-seconds", type=float, default=2, help="of each measurement of the guard")


def measure(build_dir, arguments):
    command = [build_dir / "bin" / "bench-guard", str(arguments.guard_seconds)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def ratios(figures):
    return {
        "guard_cost_ns_per_frame": figures["one_call_a_read"],
        "guard_cost_ns_per_frame_together": figures["calls_together"],
    }


def markdown(figures):
    rows = [
        ["one call in a read", f"{figures['one_call_a_read']:.1f}"],
        ["64 calls in a read", f"{figures['calls_together']:.1f}"],
    ]
    return f"""Calls of Get, each of two frames, as the guard is shown them.

{terminal.table(["what is read", "ns a frame"], rows)}"""
