"""Makes a core slow for what runs on it, so that a load generator with a core of its own can offer
many times what a server there can do.

A process of real-time priority takes the core for all but a share of each period. The periods are
short, a few milliseconds, so that the core is slow rather than absent now and then: a quota of a
control group is kept by the scheduler's clock only, and the pauses under a small one last as long
as the deadlines of calls.

Works where this process may raise priorities (as root, usually); elsewhere nothing is slowed, and
the result says so.

usage: slow_core.py SHARE PERIOD_SECONDS    what takes the core
"""

import contextlib
import ctypes
import os
import pathlib
import subprocess
import sys
import time

PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 1, 29
SIGKILL = 9


class SlowCore:
    """What was done to a core."""

    def __init__(self, share, period):
        self.share = share  # of its time; 1: all
        self._period = period

    def sentence(self):
        if self.share == 1:
            return "The server had its core to itself: priorities could not be raised here."
        return (
            f"The server has its core for about {self.share:.0%} of each {self._period * 1e3:g} ms."
        )


def _may_raise_priority():
    try:
        old = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, *old)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def slowed(core, share, period=0.002):
    """A SlowCore, for as long as the context lasts."""
    if not _may_raise_priority():
        yield SlowCore(1, period)
        return
    script = pathlib.Path(__file__).resolve()
    command = ["taskset", "--cpu-list", str(core), sys.executable, script, share, period]
    with subprocess.Popen(list(map(str, command))) as occupant:
        try:
            yield SlowCore(share, period)
        finally:
            occupant.terminate()


def occupy(share, period):
    """Takes this process's core for all but `share` of each period."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL)  # nobody else may be able to
    libc.prctl(PR_SET_TIMERSLACK, 1000)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    while True:
        end = time.monotonic() + period * (1 - share)
        while time.monotonic() < end:
            pass
        time.sleep(period * share)


if __name__ == "__main__":
    occupy(*map(float, sys.argv[1:]))
