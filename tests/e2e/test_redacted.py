"""Roles that are redacted: who has one sees neither names nor values of what it scans, lists and follows."""

import hashlib

import pytest
from cache_client import failure_from
from eventually import eventually
from exposition import scrape
from ferrite.v1.admin_pb2 import FlushRequest, SetConfigRequest, SlowLogRequest, StatsRequest
from ferrite.v1.cache_pb2 import GetRequest, PublishRequest, ScanRequest, SetRequest
from policy import SCRAPES, client_of, policy, replace, token
from server_process import ServerProcess
from subscriber import Subscriber

EVERYTHING = {
    "key_prefixes": [""],
    "channel_prefixes": [""],
    "verbs": ["read", "write", "delete", "scan", "publish", "subscribe", "admin"],
}
BINDINGS = {"token:root": ["all"], "token:support": ["support", "all"], "token:scraper": ["scrapes"]}


def text(redacted):
    roles = {**SCRAPES, "all": EVERYTHING, "support": {"keys": ["unused"], "verbs": ["read"]}}
    return policy(roles, BINDINGS).replace("- name: support\n", f"- name: support\n  redacted: {redacted}\n")


def hashed(name):
    return b"sha256:" + hashlib.sha256(name).hexdigest()[:16].encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(text("true"), encoding="utf-8")
    with ServerProcess(f"--policy={file}", "--slowlog-threshold=0") as process:
        with client_of(process, "root") as root:
            root.Set(SetRequest(key=b"secret", value=b"of a person"))
        yield process


def entries(client):
    pages = client.Scan(ScanRequest(with_values=True))
    return {(entry.key, entry.value) for page in pages for entry in page.entries}


def test_scan(server):
    with client_of(server, "support") as support, client_of(server, "root") as root:
        assert (b"secret", b"of a person") in entries(root)
        assert (hashed(b"secret"), b"") in entries(support)
        assert not [key for key, value in entries(support) if value or not key.startswith(b"sha256:")]


def test_slow_log(server):
    with client_of(server, "support") as support, client_of(server, "root") as root:
        root.Get(GetRequest(key=b"slow"))
        keys = {call.key for call in root.SlowLog(SlowLogRequest()).calls}
        shown = {call.key for call in support.SlowLog(SlowLogRequest()).calls}
        assert b"slow" in keys and hashed(b"slow") in shown
        assert not [key for key in shown if key and not key.startswith(b"sha256:")]


def test_it_may_look_but_not_change(server):
    with client_of(server, "support") as support, client_of(server, "root") as root:
        support.Stats(StatsRequest())
        for refused in (support.Flush, FlushRequest()), (support.SetConfig, SetConfigRequest()):
            assert failure_from(*refused).reason == "NOT_ALLOWED"
        assert (b"secret", b"of a person") in entries(root)


def test_events(server):
    with client_of(server, "support") as support, client_of(server, "root") as root:
        with Subscriber(support, channels=[b"news"], key_prefixes=[b""], with_values=True) as follows:
            root.Set(SetRequest(key=b"event", value=b"v"))
            event = follows.next_but_heartbeats().key_event
            assert event.key == hashed(b"event") and event.version > 0 and not event.HasField("value")
            root.Publish(PublishRequest(channel=b"news", payload=b"p"))
            message = follows.next_but_heartbeats().message
            assert (message.channel, message.payload) == (hashed(b"news"), b"")


def test_a_stream_that_is_open_when_the_policy_changes(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(text("false"), encoding="utf-8")
    with ServerProcess(f"--policy={file}") as server:
        with client_of(server, "support") as support, client_of(server, "root") as root:
            with Subscriber(support, keys=[b"k"], with_values=True) as follows:
                root.Set(SetRequest(key=b"k", value=b"v"))
                assert follows.next_but_heartbeats().key_event.value == b"v"
                before = scrape(server, token("scraper")).total("ferrite_policy_loads_total")
                replace(file, text("true"))
                eventually(
                    lambda: scrape(server, token("scraper")).total("ferrite_policy_loads_total"),
                    lambda now: now > before, "the policy did not change",
                )
                root.Set(SetRequest(key=b"k", value=b"w"))
                event = follows.next_but_heartbeats().key_event
                assert event.key == hashed(b"k") and not event.HasField("value")
