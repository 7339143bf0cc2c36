"""Worlds in which all goes wrong."""

import program

TITLE = "Worlds in which all goes wrong"
TARGETS = program.TARGETS


def add_arguments(parser):
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")


def measure(build_dir, arguments):
    figures = program.figures_of(build_dir, "--seeds", arguments.seeds, "--first", arguments.first)
    return figures | {"first": arguments.first}


def ratios(figures):
    return {
        "sim_failed_seeds": len(figures["failures"]),
        "sim_seeds_per_second": figures["seeds"] / figures["seconds"],
    }


def markdown(figures):
    text = f"""{figures["seeds"]:,} seeds from {figures["first"]} on, {len(figures["failures"])} failed, in {figures["seconds"]:.0f} s:
{figures["seeds"] / figures["seconds"]:.0f} seeds/s, {figures["events"] / figures["seconds"]:,.0f} events/s. The worlds lasted
{figures["simulated_seconds"] / 3600:,.0f} hours of their time; {figures["etcd_calls"]:,} calls of etcd, {figures["writes_checked"]:,} writes and
{figures["reads_checked"]:,} reads were checked."""
    for failure in figures["failures"]:
        text += f"\n- seed {failure['seed']}: {failure['violation']}"
    return text
