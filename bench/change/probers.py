"""Runs bench-prober, which notices when a server makes its callers wait."""

import contextlib
import dataclasses
import json
import subprocess
import time

from harness import process

# Between two calls of a prober. It leaves time for others on its core, and makes a stall look
# shorter by at most this much.
PAUSE_US = 100


@dataclasses.dataclass(frozen=True)
class Window:
    """A stretch of time by the steady clock, in nanoseconds."""

    begin: int
    end: int

    def length(self):
        return self.end - self.begin


@contextlib.contextmanager
def timed(windows):
    """Appends the Window in which its body ran."""
    begin = time.monotonic_ns()
    yield
    windows.append(Window(begin, time.monotonic_ns()))


def watch_nothing(seconds):
    """Waits; returns the Window in which the probers were the only callers."""
    windows = []
    with timed(windows):
        time.sleep(seconds)
    return windows[0]


class Calls:
    """What a prober sent, and how long each call took."""

    def __init__(self, printed):
        outcome = json.loads(printed)
        self.realtime = outcome["realtime"]
        self._calls = list(zip(outcome["begin_ns"], outcome["took_ns"], strict=True))

    def worst_ms(self, window):
        """The longest call that was in progress at any time in the window."""
        return max(
            (
                took
                for begin, took in self._calls
                if begin < window.end and begin + took > window.begin
            ),
            default=0,
        ) / 1e6

    def total_ms(self):
        return sum(took for _, took in self._calls) / 1e6

    def stall(self, busy, idle):
        """The worst call of the busy window, and of as much of the idle window."""
        alike = Window(max(idle.begin, idle.end - busy.length()), idle.end)
        return {"stall_ms": self.worst_ms(busy), "idle_ms": self.worst_ms(alike)}


class Prober:
    """A running bench-prober. The option value_bytes=64 is its --value-bytes=64; True is a flag."""

    def __init__(self, build_dir, server, *, cores, **options):
        command = [build_dir / "bin" / "bench-prober", f"--server={server.address}"]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            command.append(flag if value is True else f"{flag}={value}")
        self._process = subprocess.Popen(
            process.pinned(command, cores),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdout.readline() != "bench-prober ready\n":
            self._process.communicate()
            raise RuntimeError("bench-prober did not start")

    def finish(self):
        """Ends its input, waits until it has ended too, and returns its Calls."""
        printed, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError("a call of bench-prober failed")
        return Calls(printed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def watching(stack, build_dir, server, *, cores, asked):
    """{name: Prober} of {name: options}: probers of real-time priority that call the server until
    they are told to finish."""
    return {
        name: stack.enter_context(
            Prober(
                build_dir,
                server,
                cores=cores,
                realtime=True,
                pause_us=PAUSE_US,
                name=name,
                **options,
            )
        )
        for name, options in asked.items()
    }
