"""Starts servers of ours, each with one thread on the same core, and fills them."""

import contextlib
import socket

from harness import load, process, ready_server


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def ferrite(build_dir, *flags, program="ferrite-server"):
    server_cores, _ = load.split_cores()
    command = [build_dir / "bin" / program, "--listen=127.0.0.1:0", "--http-listen="]
    command += ["--threads=1", *flags]
    with ready_server.running(*process.pinned(command, server_cores)) as server:
        yield server


def fill_ferrite(build_dir, server, **options):
    """Writes every key; options are `keys` and `value_size`."""
    _, cores = load.split_cores()
    load.FerriteBench(build_dir / "bin" / "ferrite", server, cores=cores, **options).fill()
