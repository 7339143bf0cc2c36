"""The two builds that are compared, how they are put under load, and how their figures stand side by side."""

import contextlib
import statistics
import subprocess
import sys

from harness import load, process, report, servers, terminal

BEFORE, NOW = "before", "now"
PROGRAMS = ("ferrite", "ferrite-server")
MISS = 1  # the exit code of `ferrite`


def check(directory):
    """Ends the program unless the older build is there."""
    for program in PROGRAMS:
        if not (directory / "bin" / program).exists():
            sys.exit(f"--before: there is no {directory / 'bin' / program}; build it there")


def directories(build_dir, arguments):
    """{name: build directory}, in the order in which they take turns."""
    return {BEFORE: arguments.before, NOW: build_dir}


class UnderLoad:
    """Both builds under full load, as `ferrite bench` makes it, in turns.

    `subjects` is {name: (label, options of load.FerriteBench)}. This tree's program loads the server of each build; of the subjects
    in `own_load` each build's own does; and of those in `one_server` each build's own loads the server of this tree.
    `arguments` has `starts`, `rounds` after each of them, `seconds` of each round, and `keys`.
    """

    def __init__(self, subjects, *, value_bytes, flags, own_load=(), one_server=()):
        self._subjects = subjects
        self._value_bytes = value_bytes
        self._flags = flags
        self._own_load = own_load
        self._one_server = one_server

    def measure(self, build_dir, arguments):
        """{"SUBJECT, BUILD": [Outcome per round]}. Servers start anew several times, as where a process lies in memory alone is worth
        some per cent."""
        builds = directories(build_dir, arguments)
        steps = arguments.starts * (arguments.rounds + 1) * len(self._subjects) * len(builds)
        progress = terminal.Progress(steps)
        outcomes = {}
        for _ in range(arguments.starts):
            for name, measured in self._from_start(builds, arguments, progress).items():
                outcomes.setdefault(name, []).extend(measured)
        return outcomes

    def _from_start(self, builds, arguments, progress):
        entries = {"keys": arguments.keys, "value_size": self._value_bytes}
        with contextlib.ExitStack() as stack:
            running = {}
            for who, directory in builds.items():
                running[who] = stack.enter_context(servers.ferrite(directory, *self._flags))
                servers.fill_ferrite(builds[NOW], running[who], **entries)
            turns = {}
            for name, (_, options) in self._subjects.items():
                for who in builds:
                    loader = builds[who if name in (*self._own_load, *self._one_server) else NOW]
                    turns[f"{name}, {who}"] = load.FerriteBench(
                        loader / "bin" / "ferrite",
                        running[NOW if name in self._one_server else who],
                        cores=load.split_cores()[1],
                        connections=1,
                        threads=1,
                        **options,
                        **entries,
                    ).run
            return load.take_turns(
                turns, rounds=arguments.rounds, seconds=arguments.seconds, progress=progress
            )


def values(outcomes, field):
    return [outcome[field] for outcome in outcomes]


def median(outcomes, field):
    return statistics.median(values(outcomes, field))


def ratio(numerators, denominators, field):
    """The median of the ratios round by round."""
    return report.median_ratio(values(numerators, field), values(denominators, field))


def command(directory, server, cores, *words):
    """What the build's own `ferrite` prints, run with a server of its build."""
    line = [directory / "bin" / "ferrite", f"--server={server.address}", "--timeout=60s", *words]
    pinned = process.pinned(line, cores)
    done = subprocess.run(pinned, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, MISS):
        raise RuntimeError(f"ferrite {' '.join(words)} ended with {done.returncode}")
    return done.stdout
