"""What a figure was measured on, without naming the machine."""

import datetime
import os
import re
import subprocess


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


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
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def sentence(where):
    """The same for a person."""
    return f"{where['date']}, {where['cpu']}, {where['cores']} cores."
