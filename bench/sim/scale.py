"""Clusters of many nodes, which come, fail and are replaced."""

import program
from harness import terminal

TITLE = "Many nodes, without trouble"
TARGETS = program.TARGETS


def add_arguments(parser):
    parser.add_argument(
        "--nodes",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[10, 100, 400, 1_000],
        metavar="N,...",
        help="the sizes of the clusters without trouble, in ascending order",
    )


def _batch_of(nodes):
    """How many nodes are started again at a time."""
    return max(1, nodes // 10)


def measure(build_dir, arguments):
    """{number of nodes: phases}"""
    return {
        str(nodes): program.figures_of(build_dir, "--nodes", nodes, "--batch", _batch_of(nodes))
        for nodes in arguments.nodes
    }


def ratios(figures):
    start, fail, _, roll = list(figures.values())[-1]
    return {
        "scale_map_bytes": start["map_bytes"],
        "scale_map_bytes_after_roll": roll["map_bytes"],
        "scale_start_seconds": start["seconds"],
        "scale_failover_seconds": fail["seconds"],
        "scale_roll_seconds": roll["seconds"],
    }


def markdown(figures):
    rows = [
        [
            f"{int(nodes):,}",
            phase["phase"],
            f"{phase['seconds']:.1f}",
            f"{phase['map_bytes']:,}",
            f"{phase['map_ranges']:,}",
            phase["map_changes"],
            f"{phase['slots_moved']:,}",
            f"{phase['etcd_calls']:,}",
            f"{phase['txns_per_second']:,}",
        ]
        for nodes, phases in figures.items()
        for phase in phases
    ]
    header = ["nodes", "phase", "s until stable", "map bytes", "ranges", "map changes"]
    header += ["slots moved", "calls of etcd", "Txn/s"]
    return f"""Seconds are of the cluster's time, with a serving time of 10 s: until every node serves its even share. A node that fails costs
its lease and once more that time. All nodes are started again a tenth at a time. Calls of etcd are those of all nodes together.
The ratios are of the last cluster.

{terminal.table(header, rows)}"""
