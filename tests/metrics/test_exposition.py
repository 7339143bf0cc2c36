"""What the server serves at /metrics, /healthz and /readyz."""

import math
import os
import shutil
import subprocess
import time

import grpc
import pytest
import workload
from cache_client import CALL_S, CacheClient
from eventually import eventually
from exposition import http_get, scrape
from ferrite.v1 import admin_pb2, cache_pb2, cluster_pb2
from ferrite.v1.cache_pb2 import GetRequest, SetRequest
from server_process import ServerProcess
from stalled_call import stall
from subscriber import Subscriber, publish

LIMIT = 128 << 20

# Every metric that applies to a single node, with its type.
EXPECTED_TYPES = {
    "grpc_server_started_total": "counter",
    "grpc_server_handled_total": "counter",
    "grpc_server_msg_received_total": "counter",
    "grpc_server_msg_sent_total": "counter",
    "grpc_server_handling_seconds": "histogram",
    "ferrite_build_info": "gauge",
    "ferrite_cache_requests_total": "counter",
    "ferrite_cache_entries": "gauge",
    "ferrite_memory_bytes": "gauge",
    "ferrite_memory_limit_bytes": "gauge",
    "ferrite_insecure": "gauge",
    "ferrite_memory_plan_bytes": "gauge",
    "ferrite_evictions_total": "counter",
    "ferrite_expired_total": "counter",
    "ferrite_inflight_requests": "gauge",
    "ferrite_refused_total": "counter",
    "ferrite_shed_total": "counter",
    "ferrite_stalled_replies_total": "counter",
    "ferrite_inflight_operations": "gauge",
    "ferrite_inflight_operations_limit": "gauge",
    "ferrite_inflight_bytes": "gauge",
    "ferrite_inflight_bytes_limit": "gauge",
    "ferrite_streams": "gauge",
    "ferrite_streams_limit": "gauge",
    "ferrite_subscribers": "gauge",
    "ferrite_subscribers_limit": "gauge",
    "ferrite_subscriber_queue_bytes": "gauge",
    "ferrite_subscriber_queue_bytes_limit": "gauge",
    "ferrite_subscriber_topic_bytes": "gauge",
    "ferrite_subscriber_dropped_total": "counter",
    "ferrite_subscriber_overflows_total": "counter",
    "ferrite_subscriber_coalesced_total": "counter",
    "ferrite_published_total": "counter",
    "ferrite_events_recorded_total": "counter",
    "ferrite_events_delivered_total": "counter",
    "ferrite_history_events": "gauge",
    "ferrite_history_bytes": "gauge",
    "ferrite_history_bytes_limit": "gauge",
    "ferrite_connections": "gauge",
    "ferrite_connections_rejected_total": "counter",
    "process_cpu_seconds_total": "counter",
    "process_resident_memory_bytes": "gauge",
    "process_virtual_memory_bytes": "gauge",
    "process_start_time_seconds": "gauge",
    "process_open_fds": "gauge",
    "process_max_fds": "gauge",
}

# Of the guard, which a sanitizer leaves no room for.
GUARD_TYPES = {
    "ferrite_connections_cut_total": "counter",
    "ferrite_unfinished_bytes": "gauge",
    "ferrite_unfinished_bytes_limit": "gauge",
}


@pytest.fixture
def fresh():
    """A fresh server for each test, because the figures count from its start."""
    with ServerProcess(f"--max-memory={LIMIT}") as server, CacheClient(
        server.grpc_address
    ) as client:
        yield server, client


def methods():
    for file, name in ((cache_pb2, "CacheService"), (admin_pb2, "AdminService"), (cluster_pb2, "ClusterService")):
        service = file.DESCRIPTOR.services_by_name[name]
        for method in service.methods:
            yield service.full_name, method.name


def rpc_type(method):
    types = {"Scan": "server_stream", "WatchTopology": "server_stream", "FlushWithProgress": "server_stream", "Subscribe": "server_stream", "Pipeline": "bidi_stream"}
    return types.get(method, "unary")


def test_promtool_has_no_complaints(fresh):
    server, client = fresh
    assert shutil.which("promtool"), "promtool is missing: apt-get install prometheus"
    for _ in range(2):
        _, body, headers = http_get(server.http_address, "/metrics")
        assert headers["Content-Type"].startswith("text/plain")
        check = ["promtool", "check", "metrics"]
        done = subprocess.run(check, input=body, capture_output=True, text=True, timeout=CALL_S)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        workload.run(client)


def test_every_metric_exists_with_its_type_and_a_help_text(fresh):
    server, _ = fresh
    metrics = scrape(server)
    expected = EXPECTED_TYPES | ({} if server.sanitized() else GUARD_TYPES)
    assert {name: metrics.types.get(name) for name in expected} == expected
    for name in metrics.types:
        assert metrics.helps.get(name), f"{name} has no help text"


def test_every_rpc_is_counted_from_0(fresh):
    server, _ = fresh
    metrics = scrape(server)
    for service, method in methods():
        labels = {"grpc_service": service, "grpc_method": method, "grpc_type": rpc_type(method)}
        names = ("started_total", "handled_total", "msg_received_total", "msg_sent_total")
        for name in ("grpc_server_" + name for name in names):
            assert metrics.total(name, **labels) == 0, name
        assert metrics.total("grpc_server_handling_seconds_count", **labels) == 0
        for code in ("OK", "InvalidArgument", "DeadlineExceeded", "ResourceExhausted"):
            assert metrics.total("grpc_server_handled_total", grpc_code=code, **labels) == 0


def test_all_label_sets_exist_from_the_start(fresh):
    server, client = fresh
    before = scrape(server)
    workload.run(client)
    after = scrape(server)
    assert set(after) == set(before), set(after) ^ set(before)


def test_the_counters_show_the_workload(fresh):
    server, client = fresh
    workload.run(client)
    # A reply may arrive a moment before it is counted: the call ends after its reply is sent.
    metrics = eventually(
        lambda: scrape(server),
        lambda m: m.total("grpc_server_handled_total") >= sum(workload.HANDLED.values()),
        "every call is counted",
    )
    for labels, value in metrics.of("grpc_server_handled_total").items():
        named = dict(labels)
        case = named["grpc_service"], named["grpc_method"], named["grpc_code"]
        assert value == workload.HANDLED.get(case, 0), case
    for service, method in methods():
        handled = sum(n for case, n in workload.HANDLED.items() if case[:2] == (service, method))
        labels = {"grpc_service": service, "grpc_method": method}
        assert metrics.total("grpc_server_started_total", **labels) == handled, method
        assert metrics.total("grpc_server_handling_seconds_count", **labels) == handled, method
        assert metrics.total("grpc_server_msg_received_total", **labels) == handled, method
        ok = workload.HANDLED.get((service, method, "OK"), 0)
        sent = metrics.total("grpc_server_msg_sent_total", **labels)
        assert sent >= ok if method == "Scan" else sent == ok, method
    assert metrics.total("ferrite_cache_requests_total", op="get", result="hit") == workload.HITS
    assert metrics.total("ferrite_cache_requests_total", op="get", result="miss") == workload.MISSES
    assert metrics.total("ferrite_cache_entries") == workload.ENTRIES
    assert metrics.total("ferrite_inflight_requests") == 0
    assert metrics.total("ferrite_shed_total") == 0
    assert metrics.total("ferrite_connections") == 1


def test_memory_is_reported_by_class(fresh):
    server, client = fresh
    before = scrape(server)
    classes = {dict(labels)["class"] for labels in before.of("ferrite_memory_bytes")}
    assert {"slots", "blocks", "table", "eviction"} <= classes
    client.Set(SetRequest(key=b"large", value=b"v" * (1 << 20)))
    after = scrape(server)
    grown = after.total("ferrite_memory_bytes", **{"class": "blocks"}) - before.total(
        "ferrite_memory_bytes", **{"class": "blocks"}
    )
    assert grown >= 1 << 20
    assert after.total("ferrite_memory_limit_bytes") == LIMIT


def test_evictions_and_expiries_are_counted(fresh):
    server, client = fresh
    client.Set(SetRequest(key=b"k", ttl_ms=1))
    eventually(lambda: scrape(server).total("ferrite_expired_total"), lambda n: n == 1, "expired")
    for number in range(3 * LIMIT >> 20):
        client.Set(SetRequest(key=b"%d" % number, value=b"v" * (1 << 20)))
    metrics = scrape(server)
    evicted = metrics.total("ferrite_evictions_total")
    assert evicted > 0
    assert evicted + metrics.total("ferrite_cache_entries") == 3 * LIMIT >> 20
    assert metrics.total("ferrite_memory_bytes") <= LIMIT


def test_subscriptions_and_their_events_are_counted(fresh):
    server, client = fresh
    dropped = scrape(server).of("ferrite_subscriber_dropped_total")
    assert {dict(labels)["reason"] for labels in dropped} == {
        "other_server",
        "history_exceeded",
        "not_recorded",
        "node_lost",
        "owner_changed",
        "slow_consumer",
        "too_slow",
    }
    publish(client, b"nobody", b"")
    with Subscriber(client, channels=[b"c"], key_prefixes=[b"k"]) as subscriber:
        assert scrape(server).total("ferrite_subscribers") == 1
        publish(client, b"c", b"message")
        client.Set(SetRequest(key=b"k", value=b"v"))
        client.Set(SetRequest(key=b"other", value=b"v"))
        subscriber.take(2)
        metrics = scrape(server)
        assert metrics.total("ferrite_published_total") == 2
        assert metrics.total("ferrite_events_recorded_total") == 2
        assert metrics.total("ferrite_events_delivered_total") == 2
        assert metrics.total("ferrite_history_events") == 2
        assert metrics.total("ferrite_history_bytes") > 0
    eventually(lambda: scrape(server).total("ferrite_subscribers"), lambda n: n == 0, "gone")
    with Subscriber(client, channels=[b"c"], resume_token=bytes(16)) as stranger:
        stranger.take_discontinuity()
    metrics = scrape(server)
    assert metrics.total("ferrite_subscriber_dropped_total", reason="other_server") == 1


def test_the_build_and_the_process_are_reported(fresh):
    server, client = fresh
    metrics = scrape(server)
    ((labels, value),) = metrics.of("ferrite_build_info").items()
    version = client.Info(admin_pb2.InfoRequest()).version
    assert value == 1 and dict(labels)["version"] == version
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert resident / 2 < metrics.total("process_resident_memory_bytes") < resident * 2
    assert metrics.total("process_virtual_memory_bytes") >= metrics.total(
        "process_resident_memory_bytes"
    )
    assert 0 < metrics.total("process_open_fds") <= metrics.total("process_max_fds")
    assert time.time() - 600 < metrics.total("process_start_time_seconds") < time.time() + 60
    eventually(
        lambda: [client.Get(GetRequest(key=b"k")) for _ in range(100)]
        and scrape(server).total("process_cpu_seconds_total"),
        lambda cpu: cpu > metrics.total("process_cpu_seconds_total"),
        "the CPU time grows",
    )


def test_no_metric_says_what_another_does(fresh):
    """Two histograms of the same calls would double what Prometheus has to keep."""
    server, client = fresh
    workload.run(client)
    metrics = scrape(server)
    assert [name for name, kind in metrics.types.items() if kind == "histogram"] == [
        "grpc_server_handling_seconds"
    ]


def test_histograms_are_consistent(fresh):
    name = "grpc_server_handling_seconds"
    server, client = fresh
    workload.run(client)
    metrics = scrape(server)
    counts = metrics.of(name + "_count")
    assert counts and sum(counts.values()) > 0
    for labels, count in counts.items():
        buckets = {}
        for bucket_labels, value in metrics.of(name + "_bucket", **dict(labels)).items():
            buckets[float(dict(bucket_labels)["le"])] = value
        bounds = sorted(buckets)
        assert bounds[-1] == math.inf and buckets[math.inf] == count, labels
        values = [buckets[bound] for bound in bounds]
        assert values == sorted(values), f"{labels}: bucket counts decrease: {buckets}"
        total = metrics[(name + "_sum", labels)]
        assert (total > 0) == (count > 0), labels
        lowest = sum((n - m) * low for n, m, low in zip(values, [0, *values], [0, *bounds]))
        assert total >= lowest * 0.999, f"{labels}: the sum is less than its buckets allow"
    if name.startswith("ferrite"):
        assert min(bounds) <= 10e-6 and 1.0 in bounds, "10 us to 1 s"


def test_no_key_is_ever_a_label(fresh):
    server, client = fresh
    client.Set(SetRequest(key=b"secret-key", value=b"secret-value"))
    client.Get(GetRequest(key=b"secret-key"))
    _, body, _ = http_get(server.http_address, "/metrics")
    assert "secret" not in body


def test_concurrent_scrapes_and_calls_lose_no_count(fresh):
    server, client = fresh
    calls = [client.cache.Get.future(GetRequest(key=b"k"), timeout=CALL_S) for _ in range(2000)]
    last = 0
    while not all(call.done() for call in calls):
        handled = scrape(server).total("grpc_server_handled_total", grpc_method="Get")
        assert handled >= last, "a counter decreased"
        last = handled
    assert all(call.code() == grpc.StatusCode.OK for call in calls)
    eventually(
        lambda: scrape(server).total(
            "grpc_server_handled_total", grpc_method="Get", grpc_code="OK"
        ),
        lambda n: n == 2000,
        "every call is counted",
    )


def test_healthz_and_readyz(fresh):
    server, _ = fresh
    assert http_get(server.http_address, "/healthz")[0] == 200
    assert http_get(server.http_address, "/readyz")[0] == 200


def test_readyz_turns_503_while_the_server_drains(fresh):
    server, client = fresh
    with stall(server, client):
        server.terminate()
        readiness = lambda: http_get(server.http_address, "/readyz")[0]
        eventually(readiness, lambda status: status == 503, "not ready")
        assert http_get(server.http_address, "/healthz")[0] == 200, "alive until it has ended"
        assert scrape(server).total("ferrite_inflight_requests") == 1
    assert server.wait()[0] == 0
