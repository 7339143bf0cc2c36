"""A short form of tests/chaos/run, whose long form is `./dev chaos`."""

import os
import pathlib
import subprocess

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "chaos" / "run"
SKIPPED = 77


def test_promises_hold_while_nodes_and_etcd_fail():
    build_dir = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parents[1]
    done = subprocess.run(["/usr/bin/python3", "-B", RUN, build_dir, "--faults=kill,stop,etcd_to_node,etcd_leader"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr + done.stdout
