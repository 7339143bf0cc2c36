"""The files in deploy/ are accepted by the programs that read them, and fit the server."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from certificates import Authority
from exposition import scrape
from server_process import ServerProcess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "ferrite.json").read_text(encoding="utf-8"))
ALERTS = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def queries():
    """The dashboard's queries, with Grafana's variables filled in."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def test_prometheus_accepts_its_configuration():
    assert "SUCCESS" in run("promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def test_alerts_fire_when_they_should():
    run("promtool", "test", "rules", ROOT / "tests" / "repo" / "alerts_test.yml")


def test_every_alert_is_tested():
    tests = (ROOT / "tests" / "repo" / "alerts_test.yml").read_text(encoding="utf-8")
    for alert in re.findall(r"- alert: (\w+)", ALERTS):
        assert tests.count(f'alertname="{alert}"') >= 1, f"no test makes {alert} fire"


def test_prometheus_understands_the_dashboard(tmp_path):
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    assert len(rules) > 10
    path = tmp_path / "rules.json"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    run("promtool", "check", "rules", path)


def test_the_server_has_every_metric_that_is_queried(tmp_path):
    asked = set(re.findall(r"\b(?:ferrite|grpc_server|process)_[a-z_]+", ALERTS + " ".join(queries())))
    # A node of a cluster exposes some more, whether or not there is an etcd; so does one that speaks TLS, or has a policy.
    pair = Authority(tmp_path).issue()
    tls = (f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}")
    (tmp_path / "policy.yaml").write_text("roles: [{name: m, verbs: [metrics]}]\nbindings: [{principal: anonymous, roles: [m]}]\n",
                                          encoding="utf-8")
    cluster = ("--cluster-name=test", "--etcd-endpoints=127.0.0.1:1")
    with ServerProcess("--max-memory=64MiB", f"--policy={tmp_path}/policy.yaml", "--audit-log=-", *cluster, *tls) as server:
        exposed = {name for name, _ in scrape(server)}
    assert asked and asked <= exposed, f"the server does not expose {sorted(asked - exposed)}"


def test_panels_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_systemd_accepts_the_unit(tmp_path):
    unit = (DEPLOY / "systemd" / "ferrite.service").read_text(encoding="utf-8")
    installed = tmp_path / "ferrite.service"
    installed.write_text(unit.replace("/usr/local/bin/ferrite-server", os.environ["FERRITE_SERVER_BINARY"]), encoding="utf-8")
    assert run("systemd-analyze", "verify", installed) == ""


@pytest.mark.parametrize("option, least", [("TimeoutStopSec", 11), ("LimitNOFILE", 20000)])
def test_the_unit_leaves_room_for_the_defaults(option, least):
    unit = (DEPLOY / "systemd" / "ferrite.service").read_text(encoding="utf-8")
    assert int(re.search(rf"^{option}=(\d+)$", unit, re.MULTILINE)[1]) >= least
