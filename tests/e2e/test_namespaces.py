"""Namespaces: each is a cache of its own, as the policy has them, within its limits."""

import hashlib
import json
import queue
import threading

import grpc
import pytest
from cache_client import CALL_S, failure_from, failure_of, scan_all
from eventually import eventually
from exposition import http_get, scrape
from ferrite.v1 import cache_pb2
from ferrite.v1.admin_pb2 import CanRequest, FlushRequest, GetConfigRequest, InfoRequest, SetConfigRequest, SlowLogRequest, StatsRequest, WhoAmIRequest
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    ScanRequest,
    SetRequest,
    SubscribeRequest,
)
from policy import client_of, replace, token
from server_process import ServerProcess, refusal_of

MIB = 1 << 20
DENIED = grpc.StatusCode.PERMISSION_DENIED

ALL = '{key_prefixes: [""], channel_prefixes: [""], verbs: [read, write, delete, scan, publish, subscribe, admin, metrics]'


def policy_of(*namespaces):
    """`root` may do everything everywhere, `shop` in the namespace shop, where it is at home, and `guest` there and in default."""
    names = ("root", "shop", "guest")
    digests = {name: hashlib.sha256(token(name).encode()).hexdigest() for name in names}
    has_shop = any("name: shop," in each for each in namespaces)
    return "\n".join(
        [
            "roles:",
            f'- {ALL}, name: all, namespaces: ["*"]}}',
            f"- {ALL}, name: home}}",
            f'- {ALL}, name: both, namespaces: [default{", shop" if has_shop else ""}]}}',
            "bindings:",
            '- {principal: "token:root", roles: [all]}',
            f'- {{principal: "token:shop", roles: [home]{", namespace: shop" if has_shop else ""}}}',
            '- {principal: "token:guest", roles: [both]}',
            "tokens:",
            *(f'- {{name: {name}, sha256: "{digest}"}}' for name, digest in digests.items()),
            "namespaces:" if namespaces else "namespaces: []",
            *(f"- {{{each}}}" for each in namespaces),
            "",
        ]
    )


SHOP = "name: shop, memory: 32MiB"
BLOG = "name: blog, memory: 25%"


class Named:
    """A client whose calls name a namespace."""

    def __init__(self, client, name):
        self.client, self.metadata = client, [("ferrite-namespace", name)]

    def __getattr__(self, method):
        def invoke(request, **arguments):
            return getattr(self.client, method)(request, metadata=self.metadata, **arguments)

        return invoke


@pytest.fixture
def file(tmp_path):
    return tmp_path / "policy.yaml"


@pytest.fixture
def start(file):
    """Starts a server with these namespaces, and clients."""
    started = []

    def begin(*namespaces, flags=("--max-memory=256MiB",)):
        file.write_text(policy_of(*namespaces), encoding="utf-8")
        server = ServerProcess(f"--policy={file}", *flags)
        started.append(server)
        server.__enter__()
        return server

    yield begin
    for server in started:
        server.__exit__(None, None, None)


def frame(client, *operations, name=None):
    metadata = [("ferrite-namespace", name)] if name else None
    call = client.cache.Pipeline(iter([PipelineRequest(operations=operations)]), timeout=CALL_S, metadata=metadata)
    return list(next(call).results)


def test_metrics_are_for_who_is_at_home_in_default(start):
    server = start(SHOP)
    assert http_get(server.http_address, "/metrics", token("root"))[0] == 200
    assert http_get(server.http_address, "/metrics", token("guest"))[0] == 200
    assert http_get(server.http_address, "/metrics", token("shop"))[0] == 403, "they tell of all namespaces"


def test_keys_versions_batches_and_frames_of_one_are_not_those_of_another(start):
    with client_of(start(SHOP, BLOG), "root") as root:
        shop, blog = Named(root, "shop"), Named(root, "blog")
        for client, value in ((root, b"0"), (shop, b"1"), (blog, b"2")):
            client.Set(SetRequest(key=b"k", value=value))
            client.MSet(MSetRequest(entries=[SetRequest(key=b"m", value=value)]))
        for name, client, value in ((None, root, b"0"), ("shop", shop, b"1"), ("blog", blog, b"2")):
            assert client.Get(GetRequest(key=b"k")).value == value
            assert client.MGet(MGetRequest(keys=[b"m"])).results[0].value == value
            results = frame(root, Operation(get=GetRequest(key=b"k")), Operation(incr=IncrRequest(key=b"n", delta=int(value) + 1)), name=name)
            assert (results[0].get.value, results[1].incr.value) == (value, int(value) + 1)
            assert {entry.key for entry in scan_all(client, ScanRequest())} == {b"k", b"m", b"n"}
        named = Named(root, "default")
        assert named.Get(GetRequest(key=b"k")).value == b"0"
        assert shop.Delete(DeleteRequest(key=b"k")).deleted
        assert not shop.Get(GetRequest(key=b"k")).found and root.Get(GetRequest(key=b"k")).found
        # A large value makes room ahead.
        shop.Set(SetRequest(key=b"large", value=b"v" * MIB))
        assert len(shop.Get(GetRequest(key=b"large")).value) == MIB
        assert not blog.Get(GetRequest(key=b"large")).found


def test_the_same_request_id_is_another_one_in_another_namespace(start):
    with client_of(start(SHOP), "root") as root:
        shop = Named(root, "shop")
        for client in (root, shop):
            assert client.Incr(IncrRequest(key=b"n", request_id=b"once")).value == 1
            assert client.Incr(IncrRequest(key=b"n", request_id=b"once")).value == 1


def test_flush_stats_and_the_slow_log_are_of_one(start):
    server = start(SHOP, BLOG, flags=("--max-memory=256MiB", "--slowlog-threshold=0"))
    with client_of(server, "root") as root:
        shop, blog = Named(root, "shop"), Named(root, "blog")
        for client in (root, shop, blog):
            client.Set(SetRequest(key=b"k", value=b"v"))
            client.Get(GetRequest(key=b"k"))
        shop.Get(GetRequest(key=b"none"))
        stats = shop.Stats(StatsRequest())
        assert (stats.entries, stats.hits, stats.misses) == (1, 1, 1)
        assert stats.memory_limit_bytes == 21 * MIB and not stats.methods
        assert blog.Stats(StatsRequest()).memory_limit_bytes == 45 * MIB
        assert root.Stats(StatsRequest()).memory_limit_bytes == (256 - 32 - 64) * MIB
        calls = shop.SlowLog(SlowLogRequest()).calls
        assert {call.namespace for call in calls} == {"shop"} and {call.method for call in calls} >= {"Set", "Get"}
        assert {call.namespace for call in root.SlowLog(SlowLogRequest()).calls} == {"", "shop", "blog"}
        assert shop.Flush(FlushRequest()).deleted == 1
        assert not shop.Get(GetRequest(key=b"k")).found
        assert root.Get(GetRequest(key=b"k")).found and blog.Get(GetRequest(key=b"k")).found
        metrics = scrape(server, token("root"))
        assert metrics.total("ferrite_cache_entries", namespace="blog") == 1
        assert metrics.total("ferrite_memory_limit_bytes", namespace="shop") == 21 * MIB
        assert metrics.total("ferrite_namespace_requests_total", namespace="shop", op="get", result="hit") == 1


def test_a_subscription_hears_of_its_namespace_only(start):
    with client_of(start(SHOP), "root") as root:
        shop = Named(root, "shop")
        streams = {}
        for name, client in (("default", root), ("shop", shop)):
            streams[name] = client.Subscribe(SubscribeRequest(channels=[b"news"], key_prefixes=[b""], with_values=True))
            assert next(streams[name]).events[0].HasField("acknowledgement")
        assert shop.Publish(PublishRequest(channel=b"news", payload=b"of shop")).receivers == 1
        shop.Set(SetRequest(key=b"k", value=b"of shop"))
        root.Set(SetRequest(key=b"k", value=b"of default"))
        assert root.Publish(PublishRequest(channel=b"news", payload=b"of default")).receivers == 1
        for name, order in (("shop", ("message", "key_event")), ("default", ("key_event", "message"))):
            events = []
            while len(events) < 2:
                events += [e for e in next(streams[name]).events if not e.HasField("heartbeat")]
            assert tuple(event.WhichOneof("event") for event in events) == order
            for event in events:
                said = event.message.payload if event.HasField("message") else event.key_event.value
                assert said == f"of {name}".encode()


def test_what_subscriptions_of_one_follow_takes_nothing_of_another(start):
    server = start(SHOP)

    def topic_bytes():
        return scrape(server, token("root")).total("ferrite_subscriber_topic_bytes")

    names = [b"%03d" % number + b"n" * 1000 for number in range(100)]
    with client_of(server, "root") as root:
        followed = Named(root, "shop").Subscribe(SubscribeRequest(channels=names))
        next(followed)
        assert topic_bytes() == 0
        of_default = root.Subscribe(SubscribeRequest(channels=names))
        next(of_default)
        assert topic_bytes() > 100_000


def test_the_binding_names_the_namespace_and_roles_bound_it(start):
    server = start(SHOP, BLOG)
    with client_of(server, "root") as root, client_of(server, "shop") as shop, client_of(server, "guest") as guest:
        Named(root, "shop").Set(SetRequest(key=b"k", value=b"v"))
        assert shop.Get(GetRequest(key=b"k")).value == b"v"
        assert Named(shop, "shop").Get(GetRequest(key=b"k")).value == b"v"
        assert shop.WhoAmI(WhoAmIRequest()).namespace == "shop"
        assert guest.WhoAmI(WhoAmIRequest()).namespace == ""
        assert not guest.Get(GetRequest(key=b"k")).found
        assert Named(guest, "shop").Get(GetRequest(key=b"k")).found
        # What there is and what there is not looks the same to who may use neither.
        for name in ("default", "blog", "none", "*", "", "x" * 1000):
            for client in (shop, guest) if name != "default" else (shop,):
                assert failure_from(Named(client, name).Get, GetRequest(key=b"k")).code == DENIED, name
                failure = failure_from(Named(client, name).Scan, ScanRequest())
                assert failure.reason == "NOT_ALLOWED", name
        failure = failure_from(Named(root, "none").Get, GetRequest(key=b"k"))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "NAMESPACE_UNKNOWN")
        two = [("ferrite-namespace", "shop"), ("ferrite-namespace", "blog")]
        assert failure_from(root.Get, GetRequest(key=b"k"), metadata=two).code == DENIED


def test_who_administers_a_namespace_does_not_administer_the_server(start, tmp_path):
    audit = tmp_path / "audit.log"
    server = start(SHOP, flags=("--max-memory=256MiB", f"--audit-log={audit}"))
    with client_of(server, "shop") as shop, client_of(server, "guest") as guest:
        shop.Stats(StatsRequest())
        for call, request in ((shop.Info, InfoRequest()), (shop.GetConfig, GetConfigRequest()), (shop.SetConfig, SetConfigRequest(name="log-level", value="warn"))):
            assert failure_from(call, request).reason == "NOT_ALLOWED"
        assert failure_from(shop.Can, CanRequest(verb="read", key=b"k", principal="token:guest")).reason == "NOT_ALLOWED"
        assert shop.Can(CanRequest(verb="read", key=b"k")).allowed
        assert not Named(shop, "default").Can(CanRequest(verb="read", key=b"k")).allowed
        guest.Info(InfoRequest())
        told = eventually(
            lambda: [json.loads(line) for line in audit.read_text(encoding="utf-8").splitlines()],
            lambda lines: lines[-1:] and lines[-1]["method"].endswith("/Info") and lines[-1]["event"] == "admin_call",
            "what was let through last is not told",
        )
        assert [line["event"] for line in told if line["method"].endswith("/SetConfig")] == ["denied"]


def test_without_a_policy_there_is_only_default():
    with ServerProcess() as server, client_of(server) as client:
        Named(client, "default").Set(SetRequest(key=b"k", value=b"v"))
        assert client.Get(GetRequest(key=b"k")).found
        for call, request in ((Named(client, "shop").Get, GetRequest(key=b"k")), (Named(client, "shop").Scan, ScanRequest()), (Named(client, "shop").Stats, StatsRequest())):
            assert failure_from(call, request).reason == "NAMESPACE_UNKNOWN"
        with pytest.raises(grpc.RpcError) as error:
            frame(client, Operation(get=GetRequest(key=b"k")), name="shop")
        assert failure_of(error.value).reason == "NAMESPACE_UNKNOWN"


def test_one_full_namespace_evicts_nothing_of_another(start):
    server = start(SHOP, "name: strict, memory: 16MiB, eviction: noeviction", flags=("--max-memory=96MiB",))
    with client_of(server, "root") as root:
        shop, strict = Named(root, "shop"), Named(root, "strict")
        for i in range(100):
            shop.Set(SetRequest(key=b"mine%d" % i, value=b"v" * 1000))
            strict.Set(SetRequest(key=b"mine%d" % i, value=b"v" * 1000))
        # Of many sizes, large ones among them, and several times what there is.
        for i in range(300):
            root.MSet(MSetRequest(entries=[SetRequest(key=b"%d-%d" % (i, j), value=b"v" * (1000 * j + 1)) for j in range(40)]))
        assert root.Stats(StatsRequest()).evictions > 0
        for client in (shop, strict):
            assert sum(r.found for r in client.MGet(MGetRequest(keys=[b"mine%d" % i for i in range(100)])).results) == 100
            assert client.Stats(StatsRequest()).evictions == 0
        refused = None
        for i in range(40):
            try:
                strict.Set(SetRequest(key=b"more%d" % i, value=b"v" * (MIB - 100)))
            except grpc.RpcError as error:
                refused = failure_of(error)
                break
        assert refused is not None and refused.reason == "MEMORY_FULL", refused
        results = frame(root, *(Operation(set=SetRequest(key=b"f%d" % i, value=b"v" * 900_000)) for i in range(3)), name="strict")
        assert cache_pb2.MEMORY_FULL in [result.error.reason for result in results]
        assert strict.Stats(StatsRequest()).evictions == 0


def test_operations_beyond_the_limit_are_refused_and_counted(start):
    server = start(SHOP + ", operations_per_second: 1")
    with client_of(server, "root") as root:
        shop = Named(root, "shop")
        # As many as one likes at once, for which one waits afterwards.
        shop.MGet(MGetRequest(keys=[b"%d" % i for i in range(1000)]))
        failure = failure_from(shop.Get, GetRequest(key=b"k"))
        assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
        try:
            shop.Set(SetRequest(key=b"k", value=b"v"))
        except grpc.RpcError as error:
            assert "grpc-retry-pushback-ms" in dict(error.trailing_metadata())
        operations = [Operation(get=GetRequest(key=b"k"))] * 3 + [Operation(incr=IncrRequest(key=b"n"))]
        results = frame(root, *operations, name="shop")
        assert [result.error.reason for result in results] == [cache_pb2.QUOTA_EXCEEDED] * 4
        assert all(result.error.retry_pushback_ms > 0 for result in results)
        root.Get(GetRequest(key=b"k"))  # which is nobody's limit
        assert shop.Stats(StatsRequest()).misses == 1000  # nor is this
        metrics = scrape(server, token("root"))
        assert metrics.total("ferrite_namespace_refused_total", namespace="shop") == 6
        assert metrics.total("ferrite_refused_total", reason="quota_exceeded") == 6


def test_connections_beyond_the_limit_are_refused(start):
    server = start(SHOP + ", connections: 2")
    with client_of(server, "root") as one, client_of(server, "root") as two, client_of(server, "root") as three:
        for client in (one, two, one):
            Named(client, "shop").Set(SetRequest(key=b"k", value=b"v"))
        assert failure_from(Named(three, "shop").Get, GetRequest(key=b"k")).reason == "QUOTA_EXCEEDED"
        three.Get(GetRequest(key=b"k"))
        Named(two, "shop").Get(GetRequest(key=b"k"))


def test_the_default_ttl_is_that_of_entries_which_say_nothing_of_theirs(start):
    server = start(SHOP + ", default_ttl: 1h")
    with client_of(server, "root") as root:
        shop = Named(root, "shop")

        def ttl(key):
            return shop.Get(GetRequest(key=key)).ttl_ms

        shop.Set(SetRequest(key=b"unary", value=b"v"))
        shop.Set(SetRequest(key=b"own", value=b"v", ttl_ms=1000_000_000))
        shop.MSet(MSetRequest(entries=[SetRequest(key=b"batch", value=b"v")]))
        shop.Incr(IncrRequest(key=b"counter"))
        # Those of one kind, mixed ones, and those that become messages.
        frame(root, Operation(set=SetRequest(key=b"frame", value=b"v")), name="shop")
        frame(root, Operation(set=SetRequest(key=b"mixed", value=b"v")), Operation(get=GetRequest(key=b"mixed")), name="shop")
        frame(root, Operation(set=SetRequest(key=b"message", value=b"v", return_previous=True)), name="shop")
        for key in (b"unary", b"batch", b"counter", b"frame", b"mixed", b"message"):
            assert 0 < ttl(key) <= 3_600_000, key
        assert ttl(b"own") > 3_600_000
        root.Set(SetRequest(key=b"unary", value=b"v"))
        assert not root.Get(GetRequest(key=b"unary")).HasField("ttl_ms")


def loads(server, outcome="in_force"):
    return scrape(server, token("root")).total("ferrite_policy_loads_total", outcome=outcome)


def change(server, file, *namespaces, outcome="in_force"):
    before = loads(server, outcome)
    replace(file, policy_of(*namespaces))
    eventually(lambda: loads(server, outcome), lambda now: now > before, "the policy was read")


def test_a_reload_adds_changes_and_drops_namespaces(start, file):
    server = start(SHOP)
    with client_of(server, "root") as root:
        shop, blog = Named(root, "shop"), Named(root, "blog")
        shop.Set(SetRequest(key=b"k", value=b"v"))
        assert failure_from(blog.Get, GetRequest(key=b"k")).reason == "NAMESPACE_UNKNOWN"
        change(server, file, "name: shop, memory: 64MiB", BLOG)
        assert shop.Get(GetRequest(key=b"k")).found
        assert shop.Stats(StatsRequest()).memory_limit_bytes == 45 * MIB
        blog.Set(SetRequest(key=b"k", value=b"v"))
        for i in range(20):
            blog.MSet(MSetRequest(entries=[SetRequest(key=b"%d-%d" % (i, j), value=b"v" * 100) for j in range(1000)]))
        root.SetConfig(SetConfigRequest(name="max-memory", value="400MiB"))
        assert blog.Stats(StatsRequest()).memory_limit_bytes == 72 * MIB
        assert root.Stats(StatsRequest()).memory_limit_bytes == (400 - 64 - 100) * MIB
        failure = failure_from(root.SetConfig, SetConfigRequest(name="max-memory", value="70MiB"))
        assert failure.reason == "SETTING_INVALID"
        # What goes on in one that is dropped ends.
        following = blog.Subscribe(SubscribeRequest(key_prefixes=[b""]))
        next(following)
        change(server, file, "name: shop, memory: 64MiB")
        with pytest.raises(grpc.RpcError) as error:
            while True:
                next(following)
        assert failure_of(error.value).reason in ("NAMESPACE_DROPPED", "NO_LONGER_ALLOWED")
        assert failure_from(blog.Get, GetRequest(key=b"k")).reason == "NAMESPACE_UNKNOWN"
        assert shop.Get(GetRequest(key=b"k")).found
        # Its memory becomes that of default.
        eventually(lambda: root.Stats(StatsRequest()).memory_limit_bytes, lambda limit: limit == (400 - 64) * MIB, "it is gone")
        change(server, file, "name: shop, memory: 64MiB", BLOG)
        assert not blog.Get(GetRequest(key=b"k")).found


def test_the_slow_log_of_one_has_neither_a_predecessors_calls_nor_room_for_others(start, file):
    server = start(SHOP, flags=("--max-memory=256MiB", "--slowlog-threshold=0"))
    with client_of(server, "root") as root:
        shop = Named(root, "shop")

        def keys(**fields):
            return [call.key for call in shop.SlowLog(SlowLogRequest(**fields)).calls if call.key]

        shop.Get(GetRequest(key=b"of the shop"))
        for _ in range(3):
            root.Get(GetRequest(key=b"of another"))
        assert keys(limit=3)[-1:] == [b"of the shop"]
        change(server, file)
        change(server, file, SHOP)
        eventually(keys, lambda seen: not seen, "one that came back knows what was asked before")


def test_a_stream_does_not_move_to_another_namespace(start, file):
    server = start(SHOP)
    requests = queue.SimpleQueue()

    def set_key(key):
        requests.put(PipelineRequest(operations=[Operation(set=SetRequest(key=key, value=b"for the shop"))]))

    with client_of(server, "root") as root, client_of(server, "shop") as client:
        call = client.cache.Pipeline(iter(requests.get, None), timeout=CALL_S)
        set_key(b"before")
        next(call)
        before = loads(server)
        replace(file, policy_of(SHOP).replace(", namespace: shop}", "}"))
        eventually(lambda: loads(server), lambda now: now > before, "the policy was read")
        set_key(b"after")
        assert failure_from(next, call).reason == "NO_LONGER_ALLOWED"
        requests.put(None)
        assert Named(root, "shop").Get(GetRequest(key=b"before")).found
        assert not root.Get(GetRequest(key=b"after")).found


def test_eviction_may_be_turned_on_and_off(start, file):
    strict, lenient = "name: shop, memory: 16MiB, eviction: noeviction", "name: shop, memory: 16MiB"
    server = start(strict)
    with client_of(server, "root") as root:
        shop = Named(root, "shop")

        def refusals():
            refused = 0
            for i in range(40):
                try:
                    shop.Set(SetRequest(key=b"%d" % i, value=b"v" * (MIB - 100)))
                except grpc.RpcError as error:
                    assert failure_of(error).reason == "MEMORY_FULL"
                    refused += 1
            return refused

        assert refusals() > 0
        change(server, file, lenient)
        assert refusals() == 0 and shop.Stats(StatsRequest()).evictions > 0
        evictions = shop.Stats(StatsRequest()).evictions
        change(server, file, strict)
        assert refusals() > 0 and shop.Stats(StatsRequest()).evictions == evictions


def test_who_does_not_read_keeps_no_memory_of_a_namespace_that_is_dropped(start, file):
    server = start(SHOP, BLOG)
    with client_of(server, "root") as root:
        blog = Named(root, "blog")
        for i in range(20):
            blog.Set(SetRequest(key=b"%d" % i, value=b"v" * (MIB - 100)))
        following = blog.Subscribe(SubscribeRequest(key_prefixes=[b""], with_values=True))
        next(following)
        # More than its connection takes while nobody reads it.
        for _ in range(20):
            blog.Set(SetRequest(key=b"k", value=b"v" * (MIB - 100)))
        change(server, file, SHOP)
        limit = (256 - 32) * MIB
        eventually(lambda: root.Stats(StatsRequest()).memory_limit_bytes, lambda seen: limit - MIB < seen <= limit, "it is empty")
        following.cancel()
        eventually(lambda: root.Stats(StatsRequest()).memory_limit_bytes, lambda seen: seen == limit, "it is gone")


@pytest.mark.parametrize(
    "namespaces, told",
    [
        (["name: a, memory: 200MiB", "name: b, memory: 50%"], ["200MiB (a)", "128MiB (b, 50%)", "--max-memory is 256MiB"]),
        (["name: a, memory: 1MiB"], ["1MiB (a)", "16MiB"]),
        (["name: a, memory: 16EiB"], ["an amount of memory"]),
        (["name: a, memory: 100%"], ["1% to 99%"]),
        (["name: default, memory: 32MiB"], ["is there without being named"]),
        (["name: A, memory: 32MiB"], ["letters a to z"]),
        (["name: a, memory: 32MiB", "name: a, memory: 32MiB"], ["is there twice"]),
        (["name: a, memory: 32MiB, eviction: lru"], ["s3-fifo or noeviction"]),
        (["name: a, memory: 32MiB, operations_per_second: 0"], ["a number from 1 to"]),
        (["name: a, memory: 32MiB, default_ttl: soon"], ["'soon'"]),
        (["name: a"], ["needs the field memory"]),
        ([f"name: n{i}, memory: 1MiB" for i in range(65)], ["more than 64 namespaces"]),
    ],
)
def test_a_policy_that_asks_for_too_much_is_refused_as_a_whole(start, file, namespaces, told):
    server = start(SHOP)
    change(server, file, SHOP, *namespaces, outcome="refused")
    refusals = [line for line in server.log().splitlines() if "policy file is refused" in line]
    for text in told:
        assert text in refusals[-1], refusals[-1]
    with client_of(server, "root") as root:
        Named(root, "shop").Set(SetRequest(key=b"k", value=b"v"))
    file.write_text(policy_of(SHOP, *namespaces), encoding="utf-8")
    assert told[0] in refusal_of(f"--policy={file}", "--max-memory=256MiB")[2]


def test_a_share_needs_a_limit(file):
    file.write_text(policy_of(BLOG), encoding="utf-8")
    assert "25%" in refusal_of(f"--policy={file}", "--max-memory=0")[2]


def test_a_scan_is_slowed_down_to_the_limit_and_sees_everything(start):
    server = start(SHOP + ", operations_per_second: 5000")
    with client_of(server, "root") as root:
        shop = Named(root, "shop")
        keys = [b"%d" % i for i in range(2000)]
        for begin in (0, 1000):
            eventually(lambda: quota_permits(shop), lambda permits: permits, "there is quota again")
            shop.MSet(MSetRequest(entries=[SetRequest(key=key, value=b"v") for key in keys[begin : begin + 1000]]))
        eventually(lambda: quota_permits(shop), lambda permits: permits, "there is quota again")
        assert {entry.key for entry in scan_all(shop, ScanRequest())} == set(keys)


def quota_permits(client):
    try:
        client.Exists(ExistsRequest(keys=[b"k"]))
        return True
    except grpc.RpcError as error:
        assert failure_of(error).reason == "QUOTA_EXCEEDED"
        return False


class Tenant(threading.Thread):
    """Calls in one namespace, where it writes nothing but its name, until it is told to stop."""

    def __init__(self, server, name, stop):
        super().__init__()
        self.server, self.name_space, self.stop = server, name, stop
        self.served, self.faults, self.turned_away = 0, [], set()

    def run(self):
        with client_of(self.server, "root") as root:
            client = Named(root, self.name_space)
            while not self.stop.is_set():
                for step in (self.write, self.read, self.scan, self.follow, self.write_much, self.send_a_frame):
                    try:
                        step(root, client)
                        self.served += 1
                    except grpc.RpcError as error:
                        self.turned_away.add(failure_of(error).reason)

    def check(self, value):
        if value != self.name_space.encode():
            self.faults.append(value)

    def write(self, _, client):
        client.Set(SetRequest(key=b"k", value=self.name_space.encode()))

    def read(self, _, client):
        response = client.Get(GetRequest(key=b"k"))
        if response.found:
            self.check(response.value)

    def scan(self, _, client):
        for entry in scan_all(client, ScanRequest(prefix=b"k", with_values=True)):
            self.check(entry.value)

    def follow(self, _, client):
        call = client.Subscribe(SubscribeRequest(key_prefixes=[b"k"], with_values=True))
        next(call)
        client.Set(SetRequest(key=b"k", value=self.name_space.encode()))
        for event in next(call).events:
            if event.HasField("key_event"):
                self.check(event.key_event.value)
        call.cancel()

    def write_much(self, _, client):
        client.Set(SetRequest(key=b"large", value=b"v" * MIB))

    def send_a_frame(self, root, _):
        operations = Operation(set=SetRequest(key=b"k", value=self.name_space.encode())), Operation(get=GetRequest(key=b"k"))
        self.check(frame(root, *operations, name=self.name_space)[1].get.value)


def test_namespaces_come_and_go_under_load(start, file):
    server = start(SHOP, BLOG)
    stop = threading.Event()
    tenants = [Tenant(server, name, stop) for name in ("shop", "blog", "default") for _ in range(2)]
    for tenant in tenants:
        tenant.start()
    try:
        for turn in range(20):
            change(server, file, *([SHOP] if turn % 2 == 0 else [SHOP, BLOG]))
    finally:
        stop.set()
        for tenant in tenants:
            tenant.join()
    for tenant in tenants:
        assert not tenant.faults and tenant.served > 0, (tenant.name_space, tenant.faults)
        allowed = {"NAMESPACE_UNKNOWN", "NAMESPACE_DROPPED", "NO_LONGER_ALLOWED", "NOT_ALLOWED"} if tenant.name_space == "blog" else set()
        assert tenant.turned_away <= allowed, (tenant.name_space, tenant.turned_away)
    assert any("NAMESPACE_UNKNOWN" in tenant.turned_away for tenant in tenants)
    with client_of(server, "root") as root:
        limit = (256 - 32 - 64) * MIB
        eventually(lambda: root.Stats(StatsRequest()).memory_limit_bytes, lambda seen: seen == limit, "what was dropped is gone")
