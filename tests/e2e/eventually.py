"""Waiting for what a server does in its own time."""

import time

from server_process import HANG_S


def eventually(observe, holds, what):
    """Observes until `holds(observation)`, and returns that observation; fails with `what` and the
    last one if it never does.

    The pause between two looks only saves the processor from spinning; nothing rests on its length.

    """
    deadline = time.monotonic() + HANG_S
    while True:
        observation = observe()
        if holds(observation):
            return observation
        assert time.monotonic() < deadline, f"{what}; last seen: {observation!r}"
        time.sleep(0.02)
