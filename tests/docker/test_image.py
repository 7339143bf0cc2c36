"""A container of the image, as a user would meet it, with everything taken away that is not memory."""

import json
import subprocess

import pytest
from eventually import eventually

MEMORY_BYTES = 256 << 20


class Container:
    """A running container of the image."""

    def __init__(self, engine, *flags):
        self._engine = engine
        self.name = engine.docker("run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
                                  "--memory", MEMORY_BYTES, "--network", "none", "ferrite", "--insecure", *flags)

    def inside(self, *command):
        return self._engine.docker("exec", self.name, *command)

    def told(self, template):
        return self._engine.docker("inspect", "--format", template, self.name)

    def healthy(self):
        return eventually(lambda: self.told("{{.State.Health.Status}}"), lambda status: status != "starting",
                          "a verdict of the health check") == "healthy"


@pytest.fixture(scope="module")
def container(engine):
    running = Container(engine)
    yield running
    engine.docker("rm", "--force", running.name)


def test_the_health_check_finds_it_healthy(container):
    assert container.healthy(), container.told("{{json .State}}")


def test_what_was_set_can_be_read(container):
    assert container.inside("ferrite", "set", "greeting", "hello", "--ttl", "5m") == "stored"
    assert container.inside("ferrite", "get", "greeting") == "hello"


def test_it_knows_the_memory_limit(container):
    limit = int(json.loads(container.inside("ferrite", "stats", "--json"))["memory_limit_bytes"])
    assert MEMORY_BYTES / 3 < limit < MEMORY_BYTES * 0.8


def test_it_is_not_root_and_can_gain_nothing(container):
    status = dict(line.split(":\t", 1) for line in container.inside("cat", "/proc/1/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["65532"] * 4
    assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1"


def test_nothing_can_be_written(container):
    with pytest.raises(AssertionError, match="Read-only file system"):
        container.inside("touch", "/tmp/x")


def test_the_labels_say_what_it_is(container):
    labels = json.loads(container.told("{{json .Config.Labels}}"))
    assert labels["org.opencontainers.image.revision"] == "under-test"
    version = container.inside("ferrite-server", "--version")
    assert labels["org.opencontainers.image.version"] in version


def test_a_mistaken_flag_is_refused(engine):
    done = subprocess.run(["/usr/bin/docker", "run", "--rm", "--network", "none", "ferrite", "--no-such-flag"],
                          env=engine.environment(), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0 and "no-such-flag" in done.stderr


def test_it_serves_nobody_in_plaintext_who_did_not_ask_for_it(engine):
    done = subprocess.run(["/usr/bin/docker", "run", "--rm", "--network", "none", "ferrite"], env=engine.environment(),
                          capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 2 and "FERRITE_LISTEN=*:6380" in done.stderr and "--insecure" in done.stderr


def test_the_environment_sets_it_and_sigterm_ends_it_with_0(engine):
    name = engine.docker("run", "--detach", "--network", "none", "--env", "FERRITE_MAX_MEMORY=64MiB", "--env", "FERRITE_INSECURE=yes", "ferrite")
    try:
        limit = eventually(lambda: subprocess.run(["/usr/bin/docker", "exec", name, "ferrite", "stats", "--json"],
                                                  env=engine.environment(), capture_output=True, text=True, check=False),
                           lambda done: done.returncode == 0, "it answers").stdout
        assert int(json.loads(limit)["memory_limit_bytes"]) == 64 << 20
        engine.docker("stop", "--time", "60", name)
        assert engine.docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    finally:
        engine.docker("rm", "--force", name)
