"""Gives a process less than a core, so that a load generator with a core can offer many times what
it can do.

Works where this process may make control groups (as root, usually); elsewhere nothing is limited,
and the result says so.
"""

import contextlib
import os
import pathlib
import time

ROOT = pathlib.Path("/sys/fs/cgroup")
# Short, as a process that has used up its quota stands still until the next period; but the kernel
# takes no quota below a millisecond.
SHORTEST_PERIOD_US = 10_000
LEAST_QUOTA_US = 1_000


class Quota:
    """A control group to run a process in, or none."""

    def __init__(self, share, group):
        self.share = share if group is not None else 1.0
        self._group = group

    def command(self, command):
        """The command, run within the group."""
        if self._group is None:
            return list(map(str, command))
        enter = f'echo $$ > "{self._group}/cgroup.procs" && exec "$@"'
        return ["/bin/sh", "-c", enter, "sh", *map(str, command)]

    def sentence(self):
        if self._group is None:
            return "The server had its core to itself: control groups could not be made here."
        return f"The server may use {self.share:.0%} of its core, by a quota of its control group."


def _make(share):
    name = f"ferrite-bench-{os.getpid()}"
    period_us = max(SHORTEST_PERIOD_US, round(LEAST_QUOTA_US / share))
    quota_us = round(period_us * share)
    if (ROOT / "cgroup.controllers").exists():
        group = ROOT / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota_us} {period_us}", encoding="ascii")
    else:
        group = ROOT / "cpu" / name
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(period_us), encoding="ascii")
        (group / "cpu.cfs_quota_us").write_text(str(quota_us), encoding="ascii")
    return group


@contextlib.contextmanager
def limited(share):
    """A Quota of this share of one core."""
    try:
        group = _make(share)
    except OSError:
        yield Quota(share, None)
        return
    try:
        yield Quota(share, group)
    finally:
        for _ in range(100):  # what ran in it may not be gone yet
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.02)
