"""What a figure was measured on, without naming the machine."""

import datetime
import os
import re
import subprocess
import sys


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def available_bytes():
    """How much memory programs can still take."""
    with open("/proc/meminfo", encoding="utf-8") as meminfo:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read(), re.MULTILINE)
    return int(found.group(1)) * 1024


def first_line(*command):
    """The first line that a command prints, such as its version."""
    printed = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ).stdout
    return printed.splitlines()[0].strip()


def redis_version():
    """Its own line names the build too."""
    return "Redis " + re.search(r"v=(\S+)", first_line("redis-server", "--version")).group(1)


def describe():
    """Call it before the benchmark loads the machine. Warns when others load it already."""
    where = {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average_before": round(os.getloadavg()[0], 2),
    }
    if _is_busy(where):
        print(
            f"warning: the machine is busy (load average {where['load_average_before']}); "
            "trust ratios more than figures, and both little",
            file=sys.stderr,
        )
    return where


def _is_busy(where):
    return where["load_average_before"] > where["cores"] / 2


def sentence(where):
    """The same for a person."""
    busy = f" The machine was busy: load average {where['load_average_before']} at the start."
    return f"{where['date']}, {where['cpu']}, {where['cores']} cores." + busy * _is_busy(where)
