"""A real Prometheus scrapes the real server, and its query results match the calls made."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest
import workload
from eventually import eventually
from exposition import http_get
from ferrite.v1.cache_pb2 import GetRequest
from server_process import HANG_S

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: ferrite
    static_configs:
      - targets: ["{target}"]
"""


class Prometheus:
    """A Prometheus for the test, on a port that the kernel chooses."""

    def __init__(self, directory, target):
        assert shutil.which("prometheus"), "prometheus is missing: apt-get install prometheus"
        config = directory / "prometheus.yml"
        config.write_text(CONFIG.format(target=target), encoding="ascii")
        self._log = open(directory / "log", "w+b")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "prometheus", f"--config.file={config}",
             f"--storage.tsdb.path={directory / 'data'}", "--web.listen-address=127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=self._log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.address = "127.0.0.1:%d" % eventually(self._listening_port, bool, "Prometheus listens")
        eventually(
            lambda: http_get(self.address, "/-/ready")[0], lambda status: status == 200, "ready"
        )

    def _listening_port(self):
        """The port on which the process listens, or 0 if it does not yet. The kernel knows it;
        Prometheus does not print it.
        """
        assert self._process.poll() is None, self.log()
        sockets = set()
        for descriptor in os.scandir(f"/proc/{self._process.pid}/fd"):
            try:
                sockets.add(os.readlink(descriptor.path))
            except FileNotFoundError:
                pass  # closed in the meantime
        with open(f"/proc/{self._process.pid}/net/tcp", encoding="ascii") as table:
            for line in list(table)[1:]:
                _, local, _, state, *_ = line.split()
                inode = line.split()[9]
                if state == "0A" and f"socket:[{inode}]" in sockets:
                    return int(local.rpartition(":")[2], 16)
        return 0

    def query(self, expression):
        """An instant query: [(labels, number)]."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        status, body, _ = http_get(self.address, path)
        assert status == 200, body
        return [
            (sample["metric"], float(sample["value"][1]))
            for sample in json.loads(body)["data"]["result"]
        ]

    def await_value(self, expression, value):
        eventually(
            lambda: self.query(expression),
            lambda samples: [number for _, number in samples] == [value],
            f"{expression} becomes {value}",
        )

    def log(self):
        self._log.seek(0)
        return self._log.read().decode()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(HANG_S)
        finally:
            self._process.kill()
            self._log.close()


@pytest.fixture(scope="module")
def prometheus(server, tmp_path_factory):
    running = Prometheus(tmp_path_factory.mktemp("prometheus"), server.http_address)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def worked(prometheus, client):
    """Prometheus after it has seen the first scrape, the workload, and a scrape of its result."""
    prometheus.await_value("sum(grpc_server_handled_total)", 0)
    workload.run(client)
    prometheus.await_value("sum(grpc_server_handled_total)", sum(workload.HANDLED.values()))
    return prometheus


def test_prometheus_scrapes_without_an_error(worked):
    worked.await_value("up", 1)
    _, body, _ = http_get(worked.address, "/api/v1/targets")
    (target,) = json.loads(body)["data"]["activeTargets"]
    assert target["health"] == "up" and target["lastError"] == ""
    assert not re.search("level=(warn|error)", worked.log()), worked.log()


def test_prometheus_knows_every_call_by_method_and_code(worked):
    for (service, method, code), count in workload.HANDLED.items():
        selector = f'{{grpc_service="{service}",grpc_method="{method}",grpc_code="{code}"}}'
        assert [number for _, number in worked.query("grpc_server_handled_total" + selector)] == [
            count
        ]


def test_prometheus_sees_a_counter_rise_from_0(worked):
    """It can only because the label set existed, at 0, before the first call."""
    for labels in ('grpc_method="Get",grpc_code="OK"', 'grpc_method="Incr",grpc_code="OutOfRange"'):
        worked.await_value(f"increase(grpc_server_handled_total{{{labels}}}[10m]) > bool 0", 1)


def test_prometheus_knows_hits_misses_entries_and_memory(worked):
    worked.await_value('ferrite_cache_requests_total{op="get",result="hit"}', workload.HITS)
    worked.await_value('ferrite_cache_requests_total{op="get",result="miss"}', workload.MISSES)
    worked.await_value("ferrite_cache_entries", workload.ENTRIES)
    worked.await_value("sum(ferrite_memory_bytes) > bool 0", 1)
    worked.await_value('ferrite_memory_bytes{class="slots"} > bool 0', 1)
    worked.await_value("sum(ferrite_memory_bytes) <= bool sum(ferrite_memory_limit_bytes)", 1)
    worked.await_value("ferrite_connections", 1)


def test_prometheus_knows_the_build_and_the_process(worked, server):
    ((labels, value),) = worked.query("ferrite_build_info")
    assert value == 1 and labels["instance"] == server.http_address and labels["version"]
    worked.await_value("process_resident_memory_bytes > bool 1e6", 1)
    worked.await_value("process_open_fds < bool process_max_fds", 1)


def test_prometheus_computes_quantiles(worked, client):
    client.Get(GetRequest(key=b"0"))
    bucket = 'grpc_server_handling_seconds_bucket{grpc_method="Get"}'
    worked.await_value(f"histogram_quantile(0.99, sum by (le) ({bucket})) > bool 0", 1)


def test_dashboards_of_other_grpc_servers_work(worked):
    """The usual error ratio: codes and types in the Go spelling."""
    errors = 'sum(grpc_server_handled_total{grpc_type="unary",grpc_code!="OK"})'
    expected = sum(
        n for (_, method, code), n in workload.HANDLED.items() if code != "OK" and method != "Scan"
    )
    worked.await_value(errors, expected)
