"""What a program prints on a terminal, which may differ from what it writes into a pipe."""

import errno
import os
import pty
import subprocess
import tempfile
import tty


def run_on_terminal(command, **options):
    """Runs a command with nothing to read; returns what it prints. Its exit code must be 0."""
    screen, terminal = pty.openpty()
    tty.setraw(terminal)  # a line feed stays one
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=errors, **options) as process:
            os.close(terminal)
            printed = b"".join(_read_until_closed(screen)).decode()
        os.close(screen)
        errors.seek(0)
        assert process.returncode == 0, f"exit code {process.returncode}\n{printed}\n{errors.read()}"
    return printed


def _read_until_closed(screen):
    while True:
        try:
            yield os.read(screen, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # which means that nobody has the terminal open any more
                raise
            return
