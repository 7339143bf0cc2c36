"""The systemd unit, installed and started: what it takes away from the server is nothing that the server needs."""

import json

import pytest
from eventually import eventually
from machine import Machine


@pytest.fixture(scope="module")
def machine():
    booted = Machine()
    yield booted
    booted.close()


@pytest.fixture
def service(machine):
    """The unit, started and serving; at the end it must stop by itself, and in time."""
    machine.run("systemctl", "reset-failed")  # systemd counts starts, and these tests make many
    machine.run("systemctl", "restart", "ferrite")
    serving(machine)
    yield machine
    machine.run("systemctl", "stop", "ferrite")
    assert machine.property("Result") == "success", machine.journal()


def serving(machine):
    eventually(lambda: machine.run("ferrite", "ping", check=False), bool, "it answers")


def main_process(machine):
    return machine.run("cat", f"/proc/{machine.property('MainPID')}/status")


def test_it_serves(service):
    assert service.run("ferrite", "set", "greeting", "hello") == "stored"
    assert service.run("ferrite", "get", "greeting") == "hello"


def test_it_bears_load_with_everything_taken_away(service):
    """Threads, huge pages and large values: no system call that they need is filtered."""
    service.run("ferrite", "bench", "--op", "set", "--count", "3000", "--keys", "500", "--value-size", "100000", "--warmup", "0s")
    assert service.property("NRestarts") == "0"


def test_it_is_nobody_and_can_gain_nothing(service):
    status = dict(line.split(":\t", 1) for line in main_process(service).splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] != "0"
    assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_systemd_finds_little_that_it_could_do_harm_with(service):
    service.run("systemd-analyze", "security", "--threshold=20", "--no-pager", "ferrite")


def test_nothing_is_logged_that_is_worth_a_warning(service):
    assert service.journal("--priority=warning", "--quiet") == ""


def test_the_settings_file_is_read(service):
    service.run("sh", "-c", "echo FERRITE_MAX_MEMORY=64MiB > /etc/default/ferrite")
    service.run("systemctl", "restart", "ferrite")
    serving(service)
    assert int(json.loads(service.run("ferrite", "stats", "--json"))["memory_limit_bytes"]) == 64 << 20
    service.run("rm", "/etc/default/ferrite")


def test_it_comes_back_after_a_crash(service):
    before = service.property("MainPID")
    service.run("systemctl", "kill", "--signal=SEGV", "--kill-who=main", "ferrite")
    eventually(lambda: service.property("MainPID"), lambda pid: pid not in ("0", before), "systemd starts it again")
    serving(service)


def test_it_stops_in_time_though_somebody_still_listens(service):
    """`service` asserts that the result is success, which it is not when systemd had to kill the server."""
    service.run("systemd-run", "--unit=listener", "ferrite", "subscribe", "news", "--json")
    eventually(lambda: service.run("journalctl", "--unit=listener"), lambda journal: "acknowledgement" in journal, "it listens")
    service.run("systemctl", "stop", "ferrite")
    service.run("systemctl", "stop", "listener")


def test_systemd_has_no_complaint(machine):
    assert machine.run("systemd-analyze", "verify", "/etc/systemd/system/ferrite.service") == ""
