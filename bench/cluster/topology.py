"""What a client is told of a large cluster."""

import subprocess

TITLE = "The topology of 1,000 nodes"
TARGETS = ("bench-topology-bytes",)


def add_arguments(parser):
    del parser


def measure(build_dir, arguments):
    del arguments
    command = [build_dir / "bin" / "bench-topology-bytes", "--nodes=1000"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {"bytes": int(done.stdout)}


def ratios(figures):
    return {"topology_bytes_1000_nodes": figures["bytes"]}


def markdown(figures):
    return f"""GetTopology of a cluster of 1,000 nodes with names as of Kubernetes, each of which owns one range, answers {figures["bytes"]:,} bytes. After
nodes have failed and come back there are more ranges: see [sim.md](sim.md)."""
