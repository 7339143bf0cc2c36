"""deploy/compose.yaml, started for real: by Debian's docker-compose, on a network of the engine's own.

What cannot be had here are the two images that it pulls: conftest.py says what stands in for them.
"""

import json
import os
import pathlib
import re
import resource
import urllib.parse

import pytest
from engine import run
from eventually import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLI = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name("ferrite")
COMPOSE = ROOT / "deploy" / "compose.yaml"


class Project:
    """The three services, running."""

    def __init__(self, engine, *files):
        self.engine = engine
        self._command = ["docker-compose", "--project-name", "ferrite-test", *(word for file in files for word in ("--file", file))]

    def compose(self, *words):
        return run(*self._command, *words, env=self.engine.environment())

    def container(self, service):
        return self.engine.docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.service={service}")

    def told(self, service, template):
        return self.engine.docker("inspect", "--format", template, self.container(service))

    def inside(self, service, *command):
        return self.engine.docker("exec", self.container(service), *command)

    def fetch(self, address, path):
        """The JSON that a published port answers."""
        return json.loads(self.engine.inside("curl", "--silent", "--show-error", f"http://{address}{path}"))

    def query(self, expression):
        return self.fetch("127.0.0.1:9090", "/api/v1/query?query=" + urllib.parse.quote(expression))


def what_this_machine_allows(tmp):
    """A second compose file, where the machine's own limit on open files is below the one that compose.yaml asks for."""
    asked = int(re.search(r"nofile: (\d+)", COMPOSE.read_text(encoding="utf-8"))[1])
    allowed = min(asked, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    file = tmp / "limits.yaml"
    file.write_text(json.dumps({"services": {"ferrite": {"ulimits": {"nofile": allowed}}}}), encoding="utf-8")
    return file, allowed


@pytest.fixture(scope="module")
def project(engine, tmp_path_factory):
    file, allowed = what_this_machine_allows(tmp_path_factory.mktemp("compose"))
    running = Project(engine, COMPOSE, file)
    running.open_files = allowed
    try:
        running.compose("up", "--detach", "--no-build")
        eventually(lambda: running.told("ferrite", "{{.State.Health.Status}}"), lambda status: status == "healthy", "it is healthy")
        yield running
    finally:
        running.compose("down", "--timeout", "60", "--volumes")


def test_the_published_port_serves(project):
    ferrite = (CLI, "--server", "127.0.0.1:6380")
    assert project.engine.inside(*ferrite, "set", "greeting", "hello") == "stored"
    assert project.engine.inside(*ferrite, "get", "greeting") == "hello"


def test_the_memory_limit_is_the_containers(project):
    limit = int(json.loads(project.inside("ferrite", "ferrite", "stats", "--json"))["memory_limit_bytes"])
    assert int(project.told("ferrite", "{{.HostConfig.Memory}}")) == 1 << 30
    assert 0.6 < limit / (1 << 30) <= 0.75  # what is asked for, less what connections and code take


def test_everything_that_it_does_not_need_is_taken_away(project):
    status = dict(line.split(":\t", 1) for line in project.inside("ferrite", "cat", "/proc/1/status").splitlines() if ":\t" in line)
    assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Uid"].split()[0] == "65532"
    with pytest.raises(AssertionError, match="Read-only file system"):
        project.inside("ferrite", "touch", "/tmp/x")


def test_it_may_open_as_many_files_as_asked_for(project):
    limits = project.inside("ferrite", "cat", "/proc/1/limits")
    assert re.search(rf"Max open files +{project.open_files} +{project.open_files} ", limits), limits


def test_prometheus_scrapes_it_and_knows_the_alerts(project):
    eventually(lambda: project.query('up{job="ferrite"} == 1')["data"]["result"], bool, "Prometheus scrapes the node")
    groups = project.fetch("127.0.0.1:9090", "/api/v1/rules")["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
    assert sum(len(group["rules"]) for group in groups) > 3


def test_grafana_would_find_its_dashboard_and_prometheus(project):
    """Grafana itself is not to be had here. Its place has the files that its settings name, and reaches Prometheus."""
    environment = dict(word.split("=", 1) for word in project.inside("grafana", "env").splitlines() if "=" in word)
    dashboard = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads(project.inside("grafana", "cat", dashboard))["title"] == "Ferrite"
    provider = project.inside("grafana", "cat", "/etc/grafana/provisioning/dashboards/ferrite.yml")
    assert f"path: {os.path.dirname(dashboard)}\n" in provider + "\n"
    source = project.inside("grafana", "cat", "/etc/grafana/provisioning/datasources/ferrite.yml")
    host, port = re.search(r"url: http://([\w.]+):(\d+)", source).groups()
    ask = f"exec 3<>/dev/tcp/{host}/{port}; printf 'GET /-/ready HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3"
    assert "200" in project.inside("grafana", "bash", "-c", ask)


def test_it_ends_within_its_grace(project):
    name = project.container("ferrite")
    project.compose("stop", "ferrite")
    assert project.engine.docker("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", name) == "0 false"
