"""Clients that hold every number as a double, as JavaScript does, lose nothing: each integer that the
server makes up is below 2^53.
"""

import threading

import pytest
from ferrite.v1 import admin_pb2
from ferrite.v1.cache_pb2 import (
    DeleteRequest,
    ExistsRequest,
    GetRequest,
    IncrRequest,
    KeyEvent,
    MDeleteRequest,
    MGetRequest,
    MSetRequest,
    Operation,
    PipelineRequest,
    PublishRequest,
    ScanRequest,
    SetRequest,
    TouchRequest,
)
from google.protobuf.descriptor import FieldDescriptor
from subscriber import Subscriber

INTEGERS = {
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT64,
}


def integers_in(message):
    """The 64-bit integers of a message, with their names, however deep they lie."""
    for field, content in message.ListFields():
        repeated = field.label == FieldDescriptor.LABEL_REPEATED
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].cpp_type in INTEGERS:
                yield from ((f"{field.full_name}[{k}]", n) for k, n in content.items())
        elif field.message_type is not None:
            for part in content if repeated else [content]:
                yield from integers_in(part)
        elif field.cpp_type in INTEGERS:
            yield from ((field.full_name, n) for n in (content if repeated else [content]))


def names_of_exact_integers(*messages):
    """Checks all integers of the messages; returns the names of their fields."""
    names = set()
    for message in messages:
        for name, integer in integers_in(message):
            assert abs(integer) <= 1 << 53 and int(float(integer)) == integer, (name, integer)
            names.add(name.rpartition(".")[2])
    return names


def test_every_integer_of_every_reply_is_exact(client, key):
    other, counter = key + b"/other", key + b"/counter"
    set_request = SetRequest(key=key, value=b"1", ttl_ms=3_600_000, return_previous=True)
    for _ in range(2):
        stored = client.Set(set_request)
        assert {"version"} <= names_of_exact_integers(stored, stored)
    assert names_of_exact_integers(stored.previous) == {"version", "ttl_ms"}
    incremented = client.Incr(IncrRequest(key=counter, ttl_ms=3_600_000))
    assert names_of_exact_integers(incremented) == {"value", "version", "ttl_ms"}
    assert "version" in names_of_exact_integers(
        client.Get(GetRequest(key=key)),
        client.Touch(TouchRequest(key=key)),
        client.MSet(MSetRequest(entries=[SetRequest(key=other), SetRequest(key=key)])),
        client.MGet(MGetRequest(keys=[key, other])),
        client.Exists(ExistsRequest(keys=[key])),
        *client.Scan(ScanRequest(prefix=key)),
    )
    frame = PipelineRequest(
        operations=[
            Operation(set=SetRequest(key=key, value=b"1")),
            Operation(set=set_request),
            Operation(get=GetRequest(key=key)),
            Operation(incr=IncrRequest(key=counter)),
            Operation(touch=TouchRequest(key=key)),
            Operation(delete=DeleteRequest(key=other)),
        ]
    )
    (reply,) = client.Pipeline(iter([frame]))
    for result in reply.results:
        assert "version" in names_of_exact_integers(result), result
    assert "version" in names_of_exact_integers(client.Delete(DeleteRequest(key=key)))
    client.MDelete(MDeleteRequest(keys=[counter]))
    names = names_of_exact_integers(
        client.Info(admin_pb2.InfoRequest()),
        client.Stats(admin_pb2.StatsRequest()),
        client.SlowLog(admin_pb2.SlowLogRequest()),
        client.ResetSlowLog(admin_pb2.ResetSlowLogRequest()),
        client.Flush(admin_pb2.FlushRequest()),
    )
    assert {"uptime_ms", "memory_limit_bytes", "pid"} <= names


def test_every_integer_of_every_event_is_exact(client, key):
    with Subscriber(client, channels=[key], keys=[key]) as subscriber:
        published = client.Publish(PublishRequest(channel=key))
        assert names_of_exact_integers(published) == {"receivers", "sequence"}
        version = client.Set(SetRequest(key=key)).version
        client.Delete(DeleteRequest(key=key))
        message, written, deleted = (subscriber.next_but_heartbeats() for _ in range(3))
    assert names_of_exact_integers(message) == {"sequence"}
    assert message.sequence == published.sequence
    for event in (written, deleted):
        assert names_of_exact_integers(event) == {"sequence", "version"}
    assert float(written.key_event.version) == float(version)
    assert isinstance(deleted.key_event, KeyEvent) and deleted.key_event.version == version


@pytest.mark.parametrize("writers", [1, 4])
def test_compare_and_set_works_with_versions_that_went_through_a_double(client, key, writers):
    rounds = 50
    client.Set(SetRequest(key=key, value=b"0"))

    def count():
        for _ in range(rounds):
            while True:
                read = client.Get(GetRequest(key=key))
                as_double = float(read.version)
                value = b"%d" % (int(read.value) + 1)
                swap = SetRequest(key=key, value=value, if_version=int(as_double))
                if client.Set(swap).stored:
                    break
                assert float(client.Get(GetRequest(key=key)).version) > as_double, "lost for ever"

    threads = [threading.Thread(target=count) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.Get(GetRequest(key=key)).value == b"%d" % (rounds * writers)
