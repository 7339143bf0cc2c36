"""Starts servers of ours and fills them."""

import contextlib
import socket

from harness import load, process, ready_server


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def ferrite(build_dir, *flags, program="ferrite-server", threads=1, cores=None):
    """A server; unless `cores` says otherwise it is bound to the same core as all others."""
    command = [build_dir / "bin" / program, "--listen=127.0.0.1:0", "--http-listen="]
    command += [f"--threads={threads}", *flags]
    pinned = process.pinned(command, cores or load.split_cores()[0])
    with ready_server.running(*pinned) as server:
        yield server


def fill_ferrite(build_dir, server, **options):
    """Writes every key; options are `keys` and `value_size`."""
    _, cores = load.split_cores()
    load.FerriteBench(build_dir / "bin" / "ferrite", server, cores=cores, **options).fill()
