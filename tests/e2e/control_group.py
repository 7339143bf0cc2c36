"""A control group of its own for a server under test: real limits of the kernel's, in version 1 or 2.

    with limited_group(memory_bytes=256 << 20) as group, ServerProcess(control_group=group) as server:
        ...
        assert group.refusals() == 0
"""

import contextlib
import os
import pathlib

import pytest


class ControlGroup:
    """A group with a limit, and one below it, in which the server runs: it has to look further up
    than its own.
    """

    def __init__(self, parent, limit_file, memory_bytes):
        self.outer = parent / f"ferrite-test-{os.getpid()}"
        self.inner = self.outer / "server"
        self.outer.mkdir()
        (self.outer / limit_file).write_text(str(memory_bytes), encoding="ascii")
        if limit_file == "memory.max":
            (self.outer / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
        self.inner.mkdir()

    @property
    def processes_file(self):
        """Whoever writes its process id there belongs to the group."""
        return self.inner / "cgroup.procs"

    def refusals(self):
        """How often the kernel found no memory within the limit, at once or at all."""
        failures = self.outer / "memory.failcnt"
        if failures.exists():
            return int(failures.read_text(encoding="ascii"))
        events = (self.outer / "memory.events").read_text(encoding="ascii").split()
        return int(events[events.index("max") + 1])

    def highest_bytes(self):
        """The most that the group ever had; None where the kernel does not tell."""
        for name in ("memory.max_usage_in_bytes", "memory.peak"):
            if (self.outer / name).exists():
                return int((self.outer / name).read_text(encoding="ascii"))
        return None

    def remove(self):
        """Only when no process is left in it."""
        self.inner.rmdir()
        self.outer.rmdir()


def memory_hierarchy():
    """(folder of the hierarchy that limits memory, name of the file with the limit), or None."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            place, _, kind = line.partition(" - ")
            folder, (fstype, _, options) = pathlib.Path(place.split()[4]), kind.split()[:3]
            if fstype == "cgroup" and "memory" in options.split(","):
                return folder, "memory.limit_in_bytes"
            if fstype == "cgroup2":
                enabled = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
                if "memory" in enabled:
                    return folder, "memory.max"
    return None


@contextlib.contextmanager
def limited_group(memory_bytes):
    """A group that may use so much memory. Skips the test, with the reason, where none can be made."""
    hierarchy = memory_hierarchy()
    if hierarchy is None:
        pytest.skip("no control group limits memory here")
    try:
        group = ControlGroup(*hierarchy, memory_bytes)
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        yield group
    finally:
        group.remove()
