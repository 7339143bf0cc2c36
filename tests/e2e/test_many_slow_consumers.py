"""Many subscribers that do not read: the publisher is not slowed down, and memory stays within the
limits for subscribers.
"""

import os

from cache_client import CacheClient
from ferrite.v1.cache_pb2 import (
    SLOW_CONSUMER_POLICY_COALESCE as COALESCE,
    SLOW_CONSUMER_POLICY_DROP as DROP,
    SLOW_CONSUMER_POLICY_END as END,
    GetRequest,
    SetRequest,
)
from server_process import ServerProcess
from subscriber import Subscriber, publish

MIB = 1 << 20
NARROW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_535)]

STREAMS = 200
# Per channel; together several times what the server may keep.
MESSAGES = 100
MESSAGE_BYTES = 20_000
QUEUES = HISTORY = 16 * MIB
# Per stream: a response of 64 KiB and one event in flight, and what gRPC keeps of it.
PER_STREAM = 128 << 10
MARGIN = 32 * MIB
FLAGS = (
    f"--subscriber-total-bytes={QUEUES}",
    f"--history-bytes={HISTORY}",
    "--max-memory=64MiB",
    "--shutdown-grace=1s",
)


def assert_within_bounds(server, grown):
    # A sanitizer takes several times as much memory as the program itself.
    allowed = QUEUES + HISTORY + STREAMS * PER_STREAM + MARGIN
    within = server.sanitized() or grown < allowed
    assert within, f"{grown / MIB:.0f} MiB for streams that nobody reads"


def payload_of(number):
    return b"%d " % number + os.urandom(8) * (MESSAGE_BYTES // 8)


def read_up_to(subscriber, last):
    """Reads up to the message `last`. Numbers may be missing only where a gap is announced."""
    expected, announced = 0, False
    while expected <= last:
        event = subscriber.next_but_heartbeats()
        if event.HasField("discontinuity"):
            announced = True
            continue
        number = int(event.message.payload.split()[0])
        assert number == expected or announced and number > expected, "an unannounced gap"
        expected, announced = number + 1, False


def test_stalled_subscribers_of_one_channel_each_keep_memory_within_its_bounds():
    with ServerProcess(*FLAGS) as server, CacheClient(server.grpc_address) as client:
        narrow = [CacheClient(server.grpc_address, NARROW) for _ in range(4)]
        policies = (DROP, COALESCE, END)
        channels = [b"c/%d" % number for number in range(STREAMS)]
        streams = [
            Subscriber(
                narrow[number % 4], channels=[channel], slow_consumer_policy=policies[number % 3]
            )
            for number, channel in enumerate(channels)
        ]
        before = server.resident_bytes()
        most = 0
        for number in range(MESSAGES):
            for channel in channels:
                assert publish(client, channel, payload_of(number)).receivers <= 1
            most = max(most, server.resident_bytes())
        assert_within_bounds(server, most - before)

        for number in range(0, STREAMS, 30):  # those of DROP
            read_up_to(streams[number], MESSAGES - 1)
        for stream in streams:
            stream.cancel()
        for connection in narrow:
            connection.close()


def test_many_stalled_subscribers_of_one_channel_do_not_block_the_publisher():
    """Streams of every policy beside one that reads, while the cache is in use."""
    with ServerProcess(*FLAGS) as server, CacheClient(server.grpc_address) as client:
        with CacheClient(server.grpc_address, NARROW) as narrow, Subscriber(
            client, channels=[b"c"]
        ) as quick:
            policies = (DROP, COALESCE, END)
            streams = [
                Subscriber(narrow, channels=[b"c"], slow_consumer_policy=policies[number % 3])
                for number in range(STREAMS)
            ]
            before = server.resident_bytes()
            for number in range(20 * MESSAGES):
                reply = publish(client, b"c", payload_of(number))
                # The streams with the policy END are ended one after the other.
                assert reply.sequence and STREAMS * 2 / 3 < reply.receivers <= 1 + STREAMS, reply
                (event,) = quick.take(1)
                assert int(event.message.payload.split()[0]) == number
                if number % 100 == 0:
                    assert client.Set(SetRequest(key=b"k", value=b"%d" % number)).stored
                    assert client.Get(GetRequest(key=b"k")).value == b"%d" % number
            assert_within_bounds(server, server.resident_bytes() - before)
            for number in range(0, STREAMS, 30):  # those of DROP
                read_up_to(streams[number], 20 * MESSAGES - 1)
            for stream in streams:
                stream.cancel()


def test_stalled_subscribers_that_resumed_keep_memory_within_its_bounds():
    """Each was resumed from a different place, so no two streams can share what is queued."""
    with ServerProcess(*FLAGS) as server, CacheClient(server.grpc_address) as client:
        with CacheClient(server.grpc_address, NARROW) as narrow:
            before = server.resident_bytes()
            streams, expected = [], 0
            for _ in range(STREAMS):
                with Subscriber(client, channels=[b"c"]) as place:
                    token = place.token
                for _ in range(60):  # more than a queue holds
                    assert publish(client, b"c", payload_of(expected)).sequence
                    expected += 1
                streams.append(Subscriber(narrow, channels=[b"c"], resume_token=token))
                assert streams[-1].resumed
            assert_within_bounds(server, server.resident_bytes() - before)
            for stream in streams:
                stream.cancel()
