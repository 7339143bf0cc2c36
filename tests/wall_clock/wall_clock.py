"""The wall clock of a server or a command, set while it runs (stepped_clock.h)."""

import mmap
import os
import struct
import tempfile


class WallClock:
    """A clock for the processes that are started with `environment`."""

    def __init__(self):
        self._file = tempfile.NamedTemporaryFile()
        self._file.write(bytes(8))
        self._file.flush()
        self._ahead = mmap.mmap(self._file.fileno(), 8)
        self.environment = {
            "LD_PRELOAD": os.environ["STEPPED_CLOCK_LIBRARY"],
            "STEPPED_CLOCK_FILE": self._file.name,
        }

    def step(self, seconds):
        """Sets it ahead of where it is, or back if `seconds` are negative."""
        (ahead_ns,) = struct.unpack("=q", self._ahead[:])
        self._ahead[:] = struct.pack("=q", ahead_ns + round(seconds * 1e9))
