"""Incr: counters as decimal text, bounds, overflow, times to live."""

import concurrent.futures

import grpc
import pytest
from cache_client import assert_refused
from eventually import eventually
from ferrite.v1 import cache_pb2
from ferrite.v1.cache_pb2 import DeleteRequest, GetRequest, IncrRequest, SetRequest, TouchRequest

SATURATE = cache_pb2.OVERFLOW_POLICY_SATURATE
REJECT = cache_pb2.OVERFLOW_POLICY_REJECT
LEAST = -(1 << 63)
GREATEST = (1 << 63) - 1
HOUR_MS = 3_600_000


def assert_out_of_range(client, request):
    assert_refused("COUNTER_OUT_OF_RANGE", client.Incr, request, code=grpc.StatusCode.OUT_OF_RANGE)


def test_a_new_counter_starts_from_0_and_adds_1(client, key):
    first = client.Incr(IncrRequest(key=key))
    assert (
        first.value == 1 and first.created and not first.saturated and not first.HasField("ttl_ms")
    )
    second = client.Incr(IncrRequest(key=key))
    assert second.value == 2 and not second.created and second.version > first.version
    read = client.Get(GetRequest(key=key))
    assert read.value == b"2" and read.version == second.version


def test_incr_continues_from_text_that_set_wrote_and_get_reads_it(client, key):
    client.Set(SetRequest(key=key, value=b"10"))
    assert client.Incr(IncrRequest(key=key)).value == 11
    assert client.Incr(IncrRequest(key=key, delta=-20)).value == -9
    assert client.Get(GetRequest(key=key)).value == b"-9"


def test_a_delta_of_0_reads(client, key):
    client.Set(SetRequest(key=key, value=b"-7"))
    assert client.Incr(IncrRequest(key=key, delta=0)).value == -7
    assert client.Incr(IncrRequest(key=key + b"new", delta=0)).value == 0


def test_initial_applies_only_to_a_new_counter(client, key):
    created = client.Incr(IncrRequest(key=key, delta=5, initial=100))
    assert created.value == 105 and created.created
    assert client.Incr(IncrRequest(key=key, delta=5, initial=100)).value == 110
    client.Delete(DeleteRequest(key=key))
    assert client.Incr(IncrRequest(key=key, initial=LEAST, delta=1)).value == LEAST + 1


@pytest.mark.parametrize("text", [b"0", b"-1", b"9223372036854775807", b"-9223372036854775808"])
def test_every_decimal_int64_is_a_counter(client, key, text):
    client.Set(SetRequest(key=key, value=text))
    assert client.Incr(IncrRequest(key=key, delta=0)).value == int(text)
    assert client.Get(GetRequest(key=key)).value == text


def test_int64_never_wraps_around(client, key):
    client.Set(SetRequest(key=key, value=b"%d" % (GREATEST - 1)))
    assert client.Incr(IncrRequest(key=key)).value == GREATEST
    for overflow in (0, REJECT):
        assert_out_of_range(client, IncrRequest(key=key, overflow=overflow))
        assert_out_of_range(client, IncrRequest(key=key, delta=GREATEST, overflow=overflow))
    assert (
        client.Get(GetRequest(key=key)).value == b"%d" % GREATEST
    ), "a refused Incr changes nothing"

    client.Set(SetRequest(key=key, value=b"%d" % (LEAST + 1)))
    assert client.Incr(IncrRequest(key=key, delta=-1)).value == LEAST
    assert_out_of_range(client, IncrRequest(key=key, delta=-1))
    assert_out_of_range(client, IncrRequest(key=key, delta=LEAST))
    assert client.Incr(IncrRequest(key=key, delta=GREATEST)).value == -1


def test_initial_plus_delta_may_not_overflow(client, key):
    assert_out_of_range(client, IncrRequest(key=key, initial=GREATEST, delta=1))
    assert not client.Get(GetRequest(key=key)).found, "a refused Incr creates nothing"
    held = client.Incr(IncrRequest(key=key, initial=GREATEST, delta=1, overflow=SATURATE))
    assert held.value == GREATEST and held.saturated and held.created


def test_saturate_stops_at_the_ends_of_int64(client, key):
    client.Set(SetRequest(key=key, value=b"%d" % (GREATEST - 5)))
    held = client.Incr(IncrRequest(key=key, delta=10, overflow=SATURATE))
    assert held.value == GREATEST and held.saturated
    client.Set(SetRequest(key=key, value=b"%d" % (LEAST + 5)))
    held = client.Incr(IncrRequest(key=key, delta=-10, overflow=SATURATE))
    assert held.value == LEAST and held.saturated
    assert client.Get(GetRequest(key=key)).value == b"%d" % LEAST


def test_min_and_max_reject(client, key):
    client.Set(SetRequest(key=key, value=b"9"))
    assert client.Incr(IncrRequest(key=key, max=10)).value == 10, "max itself is allowed"
    before = client.Get(GetRequest(key=key))
    assert_out_of_range(client, IncrRequest(key=key, max=10))
    assert client.Get(GetRequest(key=key)) == before
    assert client.Incr(IncrRequest(key=key, delta=-10, min=0)).value == 0, "min itself is allowed"
    assert_out_of_range(client, IncrRequest(key=key, delta=-1, min=0))
    assert client.Incr(IncrRequest(key=key, delta=3, min=3, max=3)).value == 3, "min may equal max"


def test_min_and_max_saturate(client, key):
    client.Set(SetRequest(key=key, value=b"8"))
    held = client.Incr(IncrRequest(key=key, delta=5, max=10, overflow=SATURATE))
    assert held.value == 10 and held.saturated
    exact = client.Incr(IncrRequest(key=key, delta=-10, min=0, overflow=SATURATE))
    assert exact.value == 0 and not exact.saturated, "reaching a bound does not exceed it"
    held = client.Incr(IncrRequest(key=key, delta=-1, min=0, overflow=SATURATE))
    assert held.value == 0 and held.saturated


def test_a_counter_beyond_a_bound_goes_no_further_and_may_come_back(client, key):
    for sign, bound in ((1, {"max": 10}), (-1, {"min": -10})):
        client.Set(SetRequest(key=key, value=b"%d" % (100 * sign)))
        assert_out_of_range(client, IncrRequest(key=key, delta=5 * sign, **bound))
        held = client.Incr(IncrRequest(key=key, delta=5 * sign, overflow=SATURATE, **bound))
        assert held.value == 100 * sign and held.saturated
        back = client.Incr(IncrRequest(key=key, delta=-sign, **bound))
        assert back.value == 99 * sign and not back.saturated
        back = client.Incr(IncrRequest(key=key, delta=-9 * sign, overflow=SATURATE, **bound))
        assert back.value == 90 * sign and not back.saturated
        assert client.Incr(IncrRequest(key=key, delta=0, **bound)).value == 90 * sign


def test_a_step_through_the_whole_range_is_stopped_at_its_end(client, key):
    client.Set(SetRequest(key=key, value=b"100"))
    step = IncrRequest(key=key, delta=-200, min=0, max=10)
    assert_out_of_range(client, step)
    step.overflow = SATURATE
    held = client.Incr(step)
    assert held.value == 0 and held.saturated


def test_an_absent_counter_counts_from_initial_as_if_it_held_that(client, key):
    assert_out_of_range(client, IncrRequest(key=key, initial=100, max=10))
    assert client.Incr(IncrRequest(key=key, initial=100, delta=-1, max=10)).value == 99


def test_bounds_hold_in_a_frame_as_in_a_call(client, key):
    def operation(**fields):
        return cache_pb2.Operation(incr=IncrRequest(key=key, **fields))

    frame = cache_pb2.PipelineRequest(
        operations=[
            operation(initial=100, delta=0),
            operation(delta=-1, max=10),
            operation(delta=1, max=10),
            operation(delta=1, max=10, overflow=SATURATE),
        ]
    )
    (reply,) = client.Pipeline(iter([frame]))
    assert [result.incr.value for result in reply.results] == [100, 99, 0, 99]
    assert reply.results[2].error.code == grpc.StatusCode.OUT_OF_RANGE.value[0]
    assert reply.results[3].incr.saturated


def test_incr_keeps_the_ttl(client, key):
    client.Set(SetRequest(key=key, value=b"1", ttl_ms=HOUR_MS))
    counted = client.Incr(IncrRequest(key=key))
    assert counted.HasField("ttl_ms") and HOUR_MS - 60_000 < counted.ttl_ms <= HOUR_MS
    assert HOUR_MS - 60_000 < client.Touch(TouchRequest(key=key)).ttl_ms <= HOUR_MS


def test_ttl_ms_sets_the_ttl_each_time(client, key):
    assert HOUR_MS - 60_000 < client.Incr(IncrRequest(key=key, ttl_ms=HOUR_MS)).ttl_ms <= HOUR_MS
    assert (
        2 * HOUR_MS - 60_000
        < client.Incr(IncrRequest(key=key, ttl_ms=2 * HOUR_MS)).ttl_ms
        <= 2 * HOUR_MS
    )


def test_initial_ttl_ms_applies_only_to_a_new_counter(client, key):
    created = client.Incr(IncrRequest(key=key, initial_ttl_ms=HOUR_MS))
    assert created.created and HOUR_MS - 60_000 < created.ttl_ms <= HOUR_MS
    assert client.Incr(IncrRequest(key=key, initial_ttl_ms=2 * HOUR_MS)).ttl_ms <= HOUR_MS
    client.Set(SetRequest(key=key, value=b"1"))
    assert not client.Incr(IncrRequest(key=key, initial_ttl_ms=HOUR_MS)).HasField("ttl_ms")


def test_an_expired_counter_starts_again(client, key):
    client.Set(SetRequest(key=key, value=b"50", ttl_ms=1))
    eventually(
        lambda: client.Touch(TouchRequest(key=key)), lambda touched: not touched.found, "expires"
    )
    again = client.Incr(IncrRequest(key=key))
    assert again.value == 1 and again.created and not again.HasField("ttl_ms")


def test_concurrent_incr_loses_no_increment(client, key):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        values = list(pool.map(lambda _: client.Incr(IncrRequest(key=key)).value, range(400)))
    assert sorted(values) == list(range(1, 401))
