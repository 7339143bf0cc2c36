"""Starts servers of ours, which print one line `NAME ready grpc=ADDRESS ...` when they serve."""

import contextlib
import re
import subprocess
import tempfile


class ReadyServer:
    """A server that serves."""

    def __init__(self, process, address, http_address):
        self.pid = process.pid
        self.address = address
        self.http_address = http_address  # None if it does not say


@contextlib.contextmanager
def running(*command):
    """Runs a server, and ends it when the context ends."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            line = process.stdout.readline()
            found = re.search(r" ready .*\bgrpc=(\S+)", line)
            if found is None:
                log.seek(0)
                raise RuntimeError(f"{command[0]} did not start: {line}{log.read()}")
            http = re.search(r" http=(\S+:\d+)", line)
            yield ReadyServer(process, found.group(1), http and http.group(1))
        finally:
            process.terminate()
            process.communicate()
