"""The program that simulates."""

import json
import subprocess
import sys

TARGETS = ("ferrite-sim",)


def figures_of(build_dir, *arguments):
    """What it prints; its progress goes to standard error. Failures are figures, too."""
    command = [build_dir / "bin" / "ferrite-sim", "--json", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        sys.exit(f"ferrite-sim ended with {done.returncode}")
    return json.loads(done.stdout)
