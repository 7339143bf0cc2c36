"""A short form of tests/chaos/run, whose long form is `./dev chaos`, and what it finds wrong."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from cluster_processes import free_port

CHAOS = pathlib.Path(__file__).resolve().parents[1] / "chaos"
sys.path.append(str(CHAOS))

import verdict

SKIPPED = 77


def test_promises_hold_while_nodes_and_etcd_fail():
    build_dir = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parents[1]
    done = subprocess.run(["/usr/bin/python3", "-B", CHAOS / "run", build_dir, "--any-silence", "--faults=kill,stop,etcd_to_node,etcd_leader"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr + done.stdout


def test_clients_that_nobody_answers_are_no_success():
    load = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parent / "chaos-load"
    done = subprocess.run([load, f"--nodes=127.0.0.1:{free_port()}"], input="moving\nsettled\ncalm\nkept\n", capture_output=True, text=True,
                          check=True)
    outcome = json.loads(done.stdout)
    assert outcome["violations"] == []
    assert any("too few" in complaint for complaint in verdict.complaints(outcome, []))


def outcome_of(*, silence_s=0.1, answers=100, calls=100, violations=()):
    seen = {"calls": calls, "answers": answers}
    ways = {way: {"before": seen, "during": seen, "after": seen, "longest_silence_s": 0.1} for way in ("a:1", "b:2", verdict.LIBRARY)}
    ways["a:1"]["longest_silence_s"] = silence_s
    return {"violations": list(violations), "ways": ways}


@pytest.mark.parametrize("outcome, hit, complaint", [
    (outcome_of(silence_s=5.1), [], "no answer about a key for 5.1 s; it may be 5 s"),
    (outcome_of(answers=80), [], "before it, 80 of 100 calls by a:1 were answered: too few"),
    (outcome_of(answers=5, calls=5), ["a:1"], "after it, 5 of 5 calls by a:1 were answered: too few"),
    (outcome_of(violations=["key: torn"]), [], "broken promise: key: torn"),
])
def test_what_is_wrong_is_named(outcome, hit, complaint):
    assert any(complaint in each for each in verdict.complaints(outcome, hit, 5))


def test_nobody_is_promised_an_answer_by_a_node_that_is_gone():
    assert verdict.complaints(outcome_of(silence_s=9), ["a:1"], 5) == []
    assert verdict.complaints(outcome_of(silence_s=9), [], None) == []
    assert verdict.complaints(outcome_of(), [], 5) == []
