"""A policy: who calls, and what they may do, in every way in which a server can be asked."""

import os
import pathlib
import queue
import shutil

import grpc
import pytest
from cache_client import CALL_S, failure_from, failure_of
from eventually import eventually
from exposition import scrape
from ferrite.v1 import admin_pb2, cache_pb2, cluster_pb2
from ferrite.v1.admin_pb2 import FlushRequest, StatsRequest
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    MDeleteRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    ScanRequest,
    SetRequest,
    SubscribeRequest,
    TouchRequest,
)
import health_pb2
import reflection_pb2
from policy import SCRAPER, SCRAPES, client_of, policy, replace, token
from server_process import ServerProcess, refusal_of
from subscriber import Subscriber

DENIED = grpc.StatusCode.PERMISSION_DENIED
NOBODY = grpc.StatusCode.UNAUTHENTICATED

ROLES = {
    **SCRAPES,
    "own": {
        "key_prefixes": ["own:"],
        "keys": ["motd"],
        "verbs": ["read", "write", "delete", "scan", "subscribe"],
    },
    "reads": {"key_prefixes": ["shared:"], "verbs": ["read"]},
    "writes": {"key_prefixes": ["shared:"], "verbs": ["write"]},
    "news": {"channels": ["news"], "channel_prefixes": ["own."], "verbs": ["publish", "subscribe"]},
    "admin": {"verbs": ["admin"]},
    "all": {
        "key_prefixes": [""],
        "channel_prefixes": [""],
        "verbs": ["read", "write", "delete", "scan", "publish", "subscribe", "admin"],
    },
}
BINDINGS = {
    **SCRAPER,
    "token:shop": ["own", "reads", "news"],
    "token:writer": ["writes"],
    "token:operator": ["admin"],
    "token:root": ["all"],
}
# One that is known and has no rights.
TOKENS = ["nobody"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("policy") / "policy.yaml"


@pytest.fixture(scope="module")
def server(file):
    file.write_text(policy(ROLES, BINDINGS, TOKENS), encoding="utf-8")
    with ServerProcess(f"--policy={file}") as process:
        yield process


@pytest.fixture(scope="module")
def shop(server):
    with client_of(server, "shop") as client:
        yield client


@pytest.fixture(scope="module")
def root(server):
    with client_of(server, "root") as client:
        yield client


def frame(client, *operations):
    """The results of one frame."""
    call = client.cache.Pipeline(iter([PipelineRequest(operations=operations)]), timeout=CALL_S)
    return list(next(call).results)


def outcome(result):
    """The reason of an operation's error, or the kind of its outcome."""
    kind = result.WhichOneof("outcome")
    return cache_pb2.ErrorReason.Name(result.error.reason) if kind == "error" else kind


# What may be called without any right: health checks, questions about oneself, and what says who a
# node is.
OPEN = {
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/ferrite.v1.AdminService/WhoAmI",
    "/ferrite.v1.AdminService/Can",
    "/ferrite.internal.v1.PeerService/Hello",
}


def every_method():
    """The path of each RPC that there is in the descriptors."""
    paths = {"/ferrite.internal.v1.PeerService/Hello"}
    files = [admin_pb2, cache_pb2, cluster_pb2, health_pb2, reflection_pb2]
    for service in (s for file in files for s in file.DESCRIPTOR.services_by_name.values()):
        paths |= {f"/{service.full_name}/{method.name}" for method in service.methods}
    paths |= {path.replace(".v1.ServerReflection/", ".v1alpha.ServerReflection/") for path in paths}
    return sorted(paths)


def served_services(server):
    """The names of all services that the server has, by its reflection."""
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    call = client_of(server, "root").channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )(iter([request]), timeout=CALL_S)
    return {service.name for service in next(call).list_services_response.service}


def test_every_method_of_every_service_is_tried(server):
    tried = {path.split("/")[1] for path in every_method()}
    assert served_services(server) <= tried


@pytest.mark.parametrize("path", every_method())
def test_no_method_serves_who_has_no_rights(server, path):
    """Of whatever shape: a call with one empty request is one of any of them."""
    bogus = ("nobody", None), (None, None), (None, "Bearer none"), (None, "Basic bm9uZQ==")
    for (name, authorization), code in zip(bogus, [DENIED, NOBODY, NOBODY, NOBODY]):
        with client_of(server, name, authorization) as client:
            call = client.channel.stream_stream(path)(iter([b""]), timeout=CALL_S)
            try:
                next(call)
                call.cancel()
                assert path in OPEN, f"{path} serves {name or authorization}"
            except grpc.RpcError as error:
                failure = failure_of(error)
                if path not in OPEN:
                    assert failure.code == code, f"{path}: {failure}"
                else:  # it was looked at, or the credential is none
                    assert failure.code in (NOBODY, grpc.StatusCode.INVALID_ARGUMENT), failure


def test_calls_about_one_key(shop, root):
    root.Set(SetRequest(key=b"shared:a", value=b"1"))
    root.Set(SetRequest(key=b"secret", value=b"1"))
    shop.Set(SetRequest(key=b"own:a", value=b"v", return_previous=True))
    shop.Set(SetRequest(key=b"motd", value=b"v"))
    assert shop.Get(GetRequest(key=b"own:a")).value == b"v"
    assert shop.Get(GetRequest(key=b"shared:a")).value == b"1"
    for call, request in [
        (shop.Get, GetRequest(key=b"secret")),
        (shop.Get, GetRequest(key=b"there is none")),
        (shop.Get, GetRequest(key=b"own")),
        (shop.Get, GetRequest(key=b"motd2")),
        (shop.Set, SetRequest(key=b"shared:a", value=b"2")),
        (shop.Delete, DeleteRequest(key=b"shared:a")),
        (shop.Incr, IncrRequest(key=b"shared:a")),
        # What changes the time to live is a write.
        (shop.Get, GetRequest(key=b"shared:a", touch_ttl_ms=1)),
        (shop.Touch, TouchRequest(key=b"shared:a", ttl_ms=1)),
        (shop.Touch, TouchRequest(key=b"shared:a", persist=True)),
    ]:
        failure = failure_from(call, request)
        assert (failure.code, failure.reason) == (DENIED, "NOT_ALLOWED"), f"{request}: {failure}"
        assert "secret" not in failure.message and not failure.metadata
    assert shop.Touch(TouchRequest(key=b"shared:a")).found
    assert root.Get(GetRequest(key=b"shared:a")).value == b"1"


def test_who_may_write_may_not_read(server, root):
    root.Set(SetRequest(key=b"shared:w", value=b"5"))
    with client_of(server, "writer") as writer:
        writer.Set(SetRequest(key=b"shared:w", value=b"6"))
        for call, request in [
            (writer.Get, GetRequest(key=b"shared:w")),
            (writer.Set, SetRequest(key=b"shared:w", value=b"7", return_previous=True)),
            (writer.Incr, IncrRequest(key=b"shared:w", delta=0)),
            (writer.Exists, ExistsRequest(keys=[b"shared:w"])),
        ]:
            assert failure_from(call, request).reason == "NOT_ALLOWED", request
    assert root.Get(GetRequest(key=b"shared:w")).value == b"6"


def test_a_large_value_that_comes_in_pieces(shop, root):
    value = b"v" * (1 << 20)
    failure = failure_from(shop.Set, SetRequest(key=b"shared:large", value=value))
    assert failure.reason == "NOT_ALLOWED"
    assert not root.Get(GetRequest(key=b"shared:large")).found
    shop.Set(SetRequest(key=b"own:large", value=value))
    assert failure_from(shop.Set, SetRequest(key=b"shared:large", value=value, request_id=b"r"))


def test_bad_requests_are_refused_as_ever_to_who_has_the_verb(shop):
    for call, request, reason in [
        (shop.Get, GetRequest(), "KEY_EMPTY"),
        (shop.Get, GetRequest(key=b"k" * 5000), "KEY_TOO_LARGE"),
        (shop.MGet, MGetRequest(), "BATCH_EMPTY"),
        (shop.MGet, MGetRequest(keys=[b"own:a"] * 1025), "BATCH_TOO_LARGE"),
        (shop.MGet, MGetRequest(keys=[b"own:a", b""]), "KEY_EMPTY"),
        (shop.Publish, PublishRequest(), "CHANNEL_EMPTY"),
    ]:
        assert failure_from(call, request).reason == reason, request


def test_each_key_of_a_batch(shop, root):
    keys = [b"secret", b"own:b1", b"shared:b", b"own:b2"]
    root.MSet(MSetRequest(entries=[SetRequest(key=key, value=key) for key in keys]))
    reply = shop.MGet(MGetRequest(keys=keys))
    assert [result.value for result in reply.results] == [b"", *keys[1:]]
    assert [(e.index, e.error.reason) for e in reply.errors] == [(0, cache_pb2.NOT_ALLOWED)]
    assert reply.errors[0].error.code == DENIED.value[0]
    reply = shop.Exists(ExistsRequest(keys=keys))
    assert list(reply.exists) == [False, True, True, True]
    assert [error.index for error in reply.errors] == [0]
    reply = shop.MSet(MSetRequest(entries=[SetRequest(key=key, value=b"new") for key in keys]))
    denied = [result.error.reason == cache_pb2.NOT_ALLOWED for result in reply.results]
    assert denied == [True, False, True, False]
    assert [root.Get(GetRequest(key=key)).value for key in keys] == [
        b"secret", b"new", b"shared:b", b"new",
    ]
    reply = shop.MDelete(MDeleteRequest(keys=keys))
    assert list(reply.deleted) == [False, True, False, True]
    assert [error.index for error in reply.errors] == [0, 2]
    assert root.Get(GetRequest(key=b"shared:b")).found
    # If it is so of every key, of the call.
    for call, request in [
        (shop.MGet, MGetRequest(keys=[b"secret", b"x"])),
        (shop.MDelete, MDeleteRequest(keys=[b"shared:b"])),
        (shop.MSet, MSetRequest(entries=[SetRequest(key=b"secret")])),
        (shop.Exists, ExistsRequest(keys=[b"secret"])),
    ]:
        assert failure_from(call, request).reason == "NOT_ALLOWED"


def test_a_bad_entry_of_a_batch_of_which_some_is_denied_changes_nothing(shop, root):
    entries = [
        SetRequest(key=b"secret", value=b"x"),
        SetRequest(key=b"own:untouched", value=b"x"),
        SetRequest(key=b"own:bad", value=b"x", ttl_ms=-1),
    ]
    failure = failure_from(shop.MSet, MSetRequest(entries=entries))
    assert failure.reason == "TTL_OUT_OF_RANGE" and "at index 2" in failure.message
    assert not root.Get(GetRequest(key=b"own:untouched")).found


def test_each_operation_of_a_frame(shop, root):
    root.Set(SetRequest(key=b"secret", value=b"s"))
    root.Set(SetRequest(key=b"shared:f", value=b"1"))
    results = frame(
        shop,
        Operation(get=GetRequest(key=b"secret")),
        Operation(set=SetRequest(key=b"own:f", value=b"v")),
        Operation(set=SetRequest(key=b"shared:f", value=b"v")),
        Operation(get=GetRequest(key=b"own:f")),
        Operation(get=GetRequest(key=b"shared:f", touch_ttl_ms=1)),
        Operation(delete=DeleteRequest(key=b"shared:f")),
        Operation(incr=IncrRequest(key=b"shared:f")),
        Operation(exists=ExistsRequest(keys=[b"secret"])),
        Operation(exists=ExistsRequest(keys=[b"own:f"])),
        Operation(publish=PublishRequest(channel=b"news", payload=b"p")),
        Operation(publish=PublishRequest(channel=b"secret", payload=b"p")),
        Operation(publish=PublishRequest(channel=b"own.x", payload=b"p")),
        Operation(),
        Operation(get=GetRequest(key=b"")),
    )
    no = "NOT_ALLOWED"
    assert [outcome(result) for result in results] == [
        no, "set", no, "get", no, no, no, no, "exists", "publish", no, "publish",
        "OPERATION_UNKNOWN", "KEY_EMPTY",
    ]
    assert results[3].get.value == b"v"
    assert root.Get(GetRequest(key=b"shared:f")).value == b"1"


def test_a_frame_of_which_nothing_is_allowed_is_answered(shop):
    results = frame(shop, *[Operation(get=GetRequest(key=b"secret"))] * 100)
    assert [outcome(result) for result in results] == ["NOT_ALLOWED"] * 100


def test_what_is_checked_is_what_is_executed(server, root):
    """Of two requests in one operation, which one counts is a matter of taste, so neither does. A group, which protobuf
    skips, hides no key and adds none, wherever it stands and whatever is in it."""
    root.Set(SetRequest(key=b"secret", value=b"s"))
    own = Operation(get=GetRequest(key=b"own:a")).SerializeToString()
    secret = Operation(get=GetRequest(key=b"secret")).SerializeToString()
    refused, denied, served = "OPERATION_UNKNOWN", "NOT_ALLOWED", "get"

    def group(content=b""):
        return b"\xa3\x06" + content + b"\xa4\x06"  # field 100 begins and ends

    for operation, expected in [
        (own + secret, refused),
        (secret + own, refused),
        (secret + group(), denied),
        (group() + secret, denied),
        (group(own) + secret, denied),
        (secret + group(own), denied),
        (group() + own, served),
        (group(secret) + own, served),
        (own + group(secret), served),
        (group(secret), refused),
        (own + b"\xa3\x06", "MALFORMED"),  # which does not end
    ]:
        head = b"\x0a" + bytes([len(operation)])
        with client_of(server, "shop") as client:
            call = client.channel.stream_stream(
                "/ferrite.v1.CacheService/Pipeline",
                response_deserializer=cache_pb2.PipelineResponse.FromString,
            )(iter([head + operation]), timeout=CALL_S)
            result = next(call).results[0]
            assert outcome(result) == expected, f"{operation}: {result}"
            assert result.get.value != b"s"


def test_a_scan_needs_its_whole_prefix(shop, root):
    root.Set(SetRequest(key=b"own:s", value=b"v"))
    found = [e.key for r in shop.Scan(ScanRequest(prefix=b"own:s")) for e in r.entries]
    assert found == [b"own:s"]
    assert list(shop.Scan(ScanRequest(prefix=b"own:", with_values=True)))
    for prefix in (b"", b"own", b"shared:", b"motd"):
        assert failure_from(shop.Scan, ScanRequest(prefix=prefix)).reason == "NOT_ALLOWED", prefix


def test_a_subscription_needs_all_that_it_asks_for(shop, root):
    for request in [
        {"channels": [b"news", b"own.x"], "keys": [b"own:k", b"motd"], "key_prefixes": [b"own:p"]},
        {"channel_globs": [b"own.*", b"own.[a-z]?"], "with_values": True},
        {"channel_globs": [b"ne\\ws"]},
    ]:
        with Subscriber(shop, **request):
            pass
    for request in [
        {"channels": [b"news", b"secret"]},
        {"channel_globs": [b"*"]},
        {"channel_globs": [b"own*"]},
        {"channel_globs": [b"news*"]},
        {"channel_globs": [b"[no]wn.*"]},
        {"keys": [b"shared:a"]},
        {"key_prefixes": [b""]},
        {"key_prefixes": [b"own"]},
        {"key_prefixes": [b"motd"]},
        {"channels": [b"own:k"]},
    ]:
        failure = failure_from(shop.Subscribe, SubscribeRequest(**request))
        assert failure.reason == "NOT_ALLOWED", f"{request}: {failure}"
    for call, channel in [(shop.Publish, b"own:k"), (shop.Publish, b"news2")]:
        assert failure_from(call, PublishRequest(channel=channel)).reason == "NOT_ALLOWED"
    shop.Publish(PublishRequest(channel=b"news"))


def test_administration(server, shop):
    assert failure_from(shop.Flush, FlushRequest()).reason == "NOT_ALLOWED"
    assert failure_from(shop.Stats, StatsRequest()).reason == "NOT_ALLOWED"
    with client_of(server, "operator") as operator:
        operator.Stats(StatsRequest())
        assert failure_from(operator.Get, GetRequest(key=b"own:a")).reason == "NOT_ALLOWED"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic x", "Bearer  x", token("root"), f"Bearer {token('root')}x",
     f"Bearer {token('root')[:-1]}", f"Bearer {'x' * 4000}"],
)
def test_credentials_that_are_none(server, authorization):
    """They are no way to be anonymous either."""
    with client_of(server, authorization=authorization) as client:
        failure = failure_from(client.Get, GetRequest(key=b"own:a"))
    assert (failure.code, failure.reason) == (NOBODY, "CREDENTIALS_INVALID"), failure
    assert "root" not in failure.message


def test_a_token_of_64_kib(server):
    with client_of(server, authorization="Bearer " + "x" * (64 << 10)) as client:
        failure = failure_from(client.Get, GetRequest(key=b"own:a"))
    # Headers of that size are refused by gRPC, or end their connection before it sees them.
    refused = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE
    assert failure.code in refused, failure
    with client_of(server, "shop") as client:
        client.Get(GetRequest(key=b"own:a"))


def test_two_tokens_are_none(server):
    with client_of(server, "root") as client:
        twice = [("authorization", f"Bearer {token('shop')}")]
        failure = failure_from(client.Get, GetRequest(key=b"own:a"), metadata=twice)
    assert failure.reason == "CREDENTIALS_INVALID"


def test_the_scheme_may_be_written_in_any_case(server):
    with client_of(server, authorization=f"bEaReR {token('shop')}") as client:
        client.Get(GetRequest(key=b"own:a"))


def test_denials_are_counted_by_reason(server, shop):
    before = scrape(server, token("scraper"))
    failure_from(shop.Get, GetRequest(key=b"secret"))
    frame(shop, *[Operation(get=GetRequest(key=b"secret"))] * 2, Operation(get=GetRequest(key=b"motd")))
    shop.MGet(MGetRequest(keys=[b"secret", b"motd"]))
    with client_of(server) as anonymous:
        failure_from(anonymous.Get, GetRequest(key=b"secret"))
    after = scrape(server, token("scraper"))

    def grown(reason):
        name = "ferrite_refused_total"
        return after.total(name, reason=reason) - before.total(name, reason=reason)

    assert grown("not_allowed") == 4
    assert grown("credentials_missing") == 1


class Changing:
    """A server of its own whose policy changes."""

    def __init__(self, folder):
        self.file = folder / "policy.yaml"

    def start(self):
        self.file.write_text(policy(ROLES, BINDINGS), encoding="utf-8")
        return ServerProcess(f"--policy={self.file}")

    def change(self, **bindings):
        """Binds others, by the names of their tokens."""
        bound = {**BINDINGS, **{f"token:{name}": roles for name, roles in bindings.items()}}
        replace(self.file, policy(ROLES, {who: roles for who, roles in bound.items() if roles}))


@pytest.fixture
def changing(tmp_path):
    return Changing(tmp_path)


def metric(server, name, **labels):
    return scrape(server, token("scraper")).total(name, **labels)


def loads(server):
    return metric(server, "ferrite_policy_loads_total", outcome="in_force")


def test_a_change_takes_effect_on_the_next_frame_of_an_open_stream(changing):
    with changing.start() as server, client_of(server, "shop") as shop:
        get = PipelineRequest(operations=[Operation(get=GetRequest(key=b"own:a"))])
        requests = queue.Queue()
        call = shop.cache.Pipeline(iter(requests.get, None), timeout=CALL_S)
        requests.put(get)
        assert outcome(next(call).results[0]) == "get"
        before = loads(server)
        changing.change(shop=["news"])
        eventually(lambda: loads(server), lambda seen: seen == before + 1, "the policy did not change")
        requests.put(get)
        assert outcome(next(call).results[0]) == "NOT_ALLOWED"
        changing.change(shop=["own"])
        eventually(lambda: loads(server), lambda seen: seen == before + 2, "the policy did not change")
        requests.put(get)
        assert outcome(next(call).results[0]) == "get"
        # Its token is gone, too.
        changing.change(shop=None)
        eventually(lambda: loads(server), lambda seen: seen == before + 3, "the policy did not change")
        requests.put(get)
        with pytest.raises(grpc.RpcError) as ended:
            next(call)
        assert failure_of(ended.value).reason == "CREDENTIALS_INVALID"
        requests.put(None)


def test_a_change_ends_quiet_subscriptions_that_are_no_longer_allowed(changing):
    with changing.start() as server, client_of(server, "shop") as shop:
        with Subscriber(shop, channels=[b"news"]) as loses, Subscriber(shop, keys=[b"motd"]) as stays:
            changing.change(shop=["own"])
            with pytest.raises(grpc.RpcError) as ended:
                loses.next_but_heartbeats()
            failure = failure_of(ended.value)
            assert (failure.code, failure.reason) == (DENIED, "NO_LONGER_ALLOWED")
            shop.Set(SetRequest(key=b"motd", value=b"v"))
            assert stays.next_but_heartbeats().key_event.key == b"motd"


def test_a_bad_file_changes_nothing_and_is_told(changing):
    with changing.start() as server, client_of(server, "shop") as shop:
        assert metric(server, "ferrite_policy_file_in_force") == 1
        replace(changing.file, "roles:\n- name: r\n  verbs: [fly]\n")
        eventually(lambda: metric(server, "ferrite_policy_file_in_force"), lambda seen: seen == 0, "the policy did not change")
        assert f"{changing.file}:3: unknown verb 'fly'" in server.log()
        shop.Get(GetRequest(key=b"own:a"))
        changing.file.unlink()
        refused = "ferrite_policy_loads_total"
        eventually(lambda: metric(server, refused, outcome="refused"), lambda seen: seen >= 2, "the policy did not change")
        shop.Get(GetRequest(key=b"own:a"))
        changing.change(shop=["news"])
        eventually(lambda: metric(server, "ferrite_policy_file_in_force"), lambda seen: seen == 1, "the policy did not change")
        assert failure_from(shop.Get, GetRequest(key=b"own:a")).reason == "NOT_ALLOWED"


def test_a_volume_of_kubernetes(tmp_path):
    """Which shows ..data, a link to the files of this moment, and swaps it."""

    def publish(name, text):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(text, encoding="utf-8")
        os.symlink(name, tmp_path / "..data_tmp")
        os.rename(tmp_path / "..data_tmp", tmp_path / "..data")

    publish("..1", policy(ROLES, BINDINGS))
    os.symlink("..data/policy.yaml", tmp_path / "policy.yaml")
    with ServerProcess(f"--policy={tmp_path}/policy.yaml") as server, client_of(server, "shop") as shop:
        shop.Get(GetRequest(key=b"own:a"))
        before = loads(server)
        publish("..2", policy(ROLES, {**BINDINGS, "token:shop": ["news"]}))
        shutil.rmtree(tmp_path / "..1")
        eventually(lambda: loads(server), lambda seen: seen == before + 1, "the policy did not change")
        assert failure_from(shop.Get, GetRequest(key=b"own:a")).reason == "NOT_ALLOWED"


def test_a_bad_policy_keeps_a_server_from_starting(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("roles: []\nspaces: []\n", encoding="utf-8")
    code, out, log = refusal_of(f"--policy={bad}", "--listen=127.0.0.1:0", "--http-listen=")
    assert (code, out) == (1, "") and f"{bad}:2: unknown field 'spaces'" in log
    code, out, log = refusal_of(f"--policy={pathlib.Path(tmp_path) / 'none'}", "--http-listen=")
    assert (code, out) == (1, "") and "none: cannot be read" in log


def test_without_a_policy_everything_is_allowed_and_nothing_is_told(tmp_path):
    with ServerProcess() as server, client_of(server, authorization="Bearer x") as client:
        client.Set(SetRequest(key=b"k", value=b"v"))
        client.Flush(FlushRequest())
        assert not [name for name, _ in scrape(server) if name.startswith("ferrite_policy")]
