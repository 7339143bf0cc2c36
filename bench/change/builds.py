"""The two builds that are compared, and how their figures stand side by side."""

import statistics
import subprocess

from harness import process, report

BEFORE, NOW = "before", "now"
MISS = 1  # the exit code of `ferrite`


def directories(build_dir, arguments):
    """{name: build directory}, in the order in which they take turns."""
    return {BEFORE: arguments.before, NOW: build_dir}


def values(outcomes, field):
    return [outcome[field] for outcome in outcomes]


def median(outcomes, field):
    return statistics.median(values(outcomes, field))


def ratio(numerators, denominators, field):
    """The median of the ratios round by round."""
    return report.median_ratio(values(numerators, field), values(denominators, field))


def command(directory, server, cores, *words):
    """What the build's own `ferrite` prints, run with a server of its build."""
    line = [directory / "bin" / "ferrite", f"--server={server.address}", "--timeout=60s", *words]
    pinned = process.pinned(line, cores)
    done = subprocess.run(pinned, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, MISS):
        raise RuntimeError(f"ferrite {' '.join(words)} ended with {done.returncode}")
    return done.stdout
