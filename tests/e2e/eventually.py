"""Waits for what a server does asynchronously."""

import time

from server_process import HANG_S


def eventually(observe, holds, what):
    """Observes until `holds(observation)` and returns that observation. If that never happens, it
    fails with `what` and the last observation.

    The pause between observations only avoids spinning; no test depends on its length.
    """
    deadline = time.monotonic() + HANG_S
    while True:
        observation = observe()
        if holds(observation):
            return observation
        assert time.monotonic() < deadline, f"{what}; last seen: {observation!r}"
        time.sleep(0.02)
