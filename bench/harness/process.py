"""What /proc tells of a process: its memory and the CPU time that it used."""

import os
import pathlib
import re


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1)) * 1024


def cpu_seconds(pid):
    """User and system time of all threads so far."""
    # The command name, in parentheses, may hold spaces; the fields after it cannot.
    fields = (
        pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    )
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pinned(command, cores):
    """The command, bound to these cores."""
    return ["taskset", "--cpu-list", ",".join(map(str, sorted(cores))), *map(str, command)]


def pin(pid, cores):
    """Binds a running process with all its threads to these cores."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
