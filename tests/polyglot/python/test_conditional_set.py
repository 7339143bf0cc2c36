"""Set under a condition (absent, present, if_version), and the previous entry that it returns."""

import concurrent.futures

from eventually import eventually
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import DeleteRequest, GetRequest, SetRequest, SetResponse

ABSENT = cache_pb2.SET_CONDITION_ABSENT
PRESENT = cache_pb2.SET_CONDITION_PRESENT
HOUR_MS = 3_600_000


def test_absent_writes_once(client, key):
    first = client.Set(SetRequest(key=key, value=b"1", condition=ABSENT))
    assert first.stored
    second = client.Set(SetRequest(key=key, value=b"2", condition=ABSENT))
    assert second == SetResponse(
        stored=False, version=first.version
    ), "the reply has the version of the existing entry"
    assert client.Get(GetRequest(key=key)).value == b"1"


def test_absent_is_true_again_after_delete_and_expiry(client, key):
    client.Set(SetRequest(key=key, value=b"1"))
    client.Delete(DeleteRequest(key=key))
    assert client.Set(SetRequest(key=key, value=b"2", condition=ABSENT, ttl_ms=1)).stored
    eventually(
        lambda: client.Set(SetRequest(key=key, value=b"3", condition=ABSENT)),
        lambda set_: set_.stored,
        "expires",
    )
    assert client.Get(GetRequest(key=key)).value == b"3"


def test_present_requires_the_key(client, key):
    assert client.Set(SetRequest(key=key, value=b"1", condition=PRESENT)) == SetResponse(
        stored=False, version=0
    )
    assert not client.Get(GetRequest(key=key)).found
    client.Set(SetRequest(key=key, value=b"1"))
    assert client.Set(SetRequest(key=key, value=b"2", condition=PRESENT)).stored
    assert client.Get(GetRequest(key=key)).value == b"2"


def test_if_version_is_compare_and_set(client, key):
    old = client.Set(SetRequest(key=key, value=b"1")).version
    new = client.Set(SetRequest(key=key, value=b"2", if_version=old))
    assert new.stored and new.version > old
    lost = client.Set(SetRequest(key=key, value=b"3", if_version=old))
    assert lost == SetResponse(stored=False, version=new.version)
    assert client.Get(GetRequest(key=key)).value == b"2"
    assert client.Set(
        SetRequest(key=key, value=b"4", if_version=new.version, condition=PRESENT)
    ).stored


def test_if_version_is_false_for_an_absent_key(client, key):
    for version in (0, 1, 1 << 63, (1 << 64) - 1):
        assert client.Set(SetRequest(key=key, value=b"1", if_version=version)) == SetResponse(
            stored=False, version=0
        )
    assert not client.Get(GetRequest(key=key)).found


def test_a_version_does_not_come_back_with_the_value(client, key):
    old = client.Set(SetRequest(key=key, value=b"same")).version
    client.Delete(DeleteRequest(key=key))
    client.Set(SetRequest(key=key, value=b"same"))
    assert not client.Set(SetRequest(key=key, value=b"x", if_version=old)).stored


def test_previous_is_the_replaced_entry(client, key):
    none = client.Set(SetRequest(key=key, value=b"1", ttl_ms=HOUR_MS, return_previous=True))
    assert none.stored and not none.HasField("previous")

    second = client.Set(SetRequest(key=key, value=b"2", return_previous=True))
    assert second.previous.value == b"1" and second.previous.version == none.version
    assert HOUR_MS - 60_000 < second.previous.ttl_ms <= HOUR_MS

    third = client.Set(SetRequest(key=key, value=b"3", condition=ABSENT, return_previous=True))
    assert (
        not third.stored
        and third.previous.value == b"2"
        and third.previous.version == second.version
    )
    assert not third.previous.HasField("ttl_ms")

    assert not client.Set(SetRequest(key=key, value=b"4")).HasField("previous"), "not requested"


def test_previous_may_be_large(client, key):
    large = bytes(range(256)) * 4096
    client.Set(SetRequest(key=key, value=large))
    assert (
        client.Set(SetRequest(key=key, value=b"small", return_previous=True)).previous.value
        == large
    )


def test_a_failed_condition_leaves_the_ttl_alone(client, key):
    client.Set(SetRequest(key=key, value=b"1", ttl_ms=HOUR_MS))
    client.Set(SetRequest(key=key, value=b"2", condition=ABSENT))
    client.Set(SetRequest(key=key, value=b"2", if_version=1))
    read = client.Get(GetRequest(key=key))
    assert read.value == b"1" and HOUR_MS - 60_000 < read.ttl_ms <= HOUR_MS


def test_only_one_of_many_wins_an_absent_key(client, key):
    def try_to_win(number):
        return client.Set(SetRequest(key=key, value=b"%d" % number, condition=ABSENT)).stored

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        won = [number for number, stored in enumerate(pool.map(try_to_win, range(64))) if stored]
    assert len(won) == 1
    assert client.Get(GetRequest(key=key)).value == b"%d" % won[0]


def test_compare_and_set_loses_no_update(client, key):
    client.Set(SetRequest(key=key, value=b"0"))

    def add_one(_):
        while True:
            read = client.Get(GetRequest(key=key))
            if client.Set(
                SetRequest(key=key, value=b"%d" % (int(read.value) + 1), if_version=read.version)
            ).stored:
                return

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(100)))
    assert client.Get(GetRequest(key=key)).value == b"100"
