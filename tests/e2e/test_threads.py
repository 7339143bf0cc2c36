"""A server that may not have the threads that it needs says so, rather than end by an exception."""

import os
import subprocess

import pytest
from server_process import ServerProcess, refusal_of

# A user that has no other process, so that the limit is the server's own.
STRANGER = 65_533
AS_STRANGER = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "--"]


@pytest.mark.parametrize("threads", [1, 12])
def test_a_limit_on_threads_is_told(threads):
    if os.getuid() != 0:
        pytest.skip("only root can start a server as another user, whose threads can be limited")
    code, out, err = refusal_of(
        "--listen=127.0.0.1:0",
        "--http-listen=127.0.0.1:0",
        "--threads=32",
        inside=[*AS_STRANGER, "prlimit", f"--nproc={threads}", "--"],
    )
    assert (code, out) == (1, ""), err
    assert "thread" in err and "Resource temporarily unavailable" in err


def test_a_server_ends_in_order_without_another_thread():
    if os.getuid() != 0:
        pytest.skip("only root can start a server as another user, whose threads can be limited")
    with ServerProcess(inside=AS_STRANGER) as server:
        limit = [*AS_STRANGER, "prlimit", f"--pid={server.pid}", "--nproc=1"]
        subprocess.run(limit, check=True)
