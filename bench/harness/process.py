"""What /proc tells of a process: its memory and the CPU time that it used."""

import os
import pathlib
import re


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024


def cpu_seconds(pid):
    """User and system time of all threads that live, to the nanosecond: the clock ticks of
    /proc/PID/stat are too coarse for a short measurement."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def pinned(command, cores):
    """The command, bound to these cores."""
    return ["taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *map(str, command)]


def pin(pid, cores):
    """Binds a running process with all its threads to these cores."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
