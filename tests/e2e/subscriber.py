"""A subscription as a program uses it: one event at a time, each checked against the promises that
hold for every stream.
"""

import grpc
from cache_client import failure_of
from eventually import eventually
from ferrite.v1.cache_pb2 import PublishRequest, SubscribeRequest

# Events that were recorded in the log, each with its own sequence.
RECORDED = ("message", "key_event")


def events_of(responses):
    """The events of the responses, in order. Checks what must hold for every stream."""
    last_sequence, last_recorded = 0, 0
    for response in responses:
        assert response.events, "the response has no events"
        for event in response.events:
            assert event.resume_token and event.WhichOneof("event"), event
            if event.WhichOneof("event") in RECORDED:
                assert event.sequence > last_recorded, f"{event} comes after {last_recorded}"
                last_recorded = event.sequence
            assert event.sequence >= last_sequence, f"{event} comes after {last_sequence}"
            last_sequence = event.sequence
            yield event


class Subscriber:
    """One stream, already acknowledged when the constructor returns. `token` and `position` are the
    resume token and the sequence of the last event read.

    `request` holds the fields of a SubscribeRequest.
    """

    def __init__(self, client, **request):
        self.call = client.Subscribe(SubscribeRequest(**request))
        self._events = events_of(self.call)
        first = self.next_event()
        assert first.HasField("acknowledgement"), f"no acknowledgement but {first}"
        self.resumed = first.acknowledgement.resumed

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.cancel()

    def cancel(self):
        self.call.cancel()

    def next_event(self):
        """The next event of any kind."""
        event = next(self._events)
        self.token, self.position = event.resume_token, event.sequence
        return event

    def next_but_heartbeats(self):
        while True:
            event = self.next_event()
            if not event.HasField("heartbeat"):
                return event

    def take(self, count):
        """The next `count` events without heartbeats; all must be messages or key events."""
        taken = [self.next_but_heartbeats() for _ in range(count)]
        for event in taken:
            assert event.WhichOneof("event") in RECORDED, event
        return taken

    def take_payloads(self, count):
        return [event.message.payload for event in self.take(count)]

    def take_key_events(self, count):
        """The next `count` key events, as tuples of key, kind and version."""
        events = [event.key_event for event in self.take(count)]
        return [(event.key, event.kind, event.version) for event in events]

    def take_discontinuity(self):
        event = self.next_but_heartbeats()
        assert event.HasField("discontinuity"), event
        return event.discontinuity

    def rest(self):
        """Reads until the stream ends with an error; returns the events and the Failure."""
        events = []
        try:
            while True:
                events.append(self.next_event())
        except grpc.RpcError as error:
            return events, failure_of(error)
        except StopIteration:
            raise AssertionError("the stream ended without an error") from None

    def failure(self):
        """Reads to the end of the stream; returns the Failure that ended it."""
        return self.rest()[1]


def publish(client, channel, payload=b""):
    return client.Publish(PublishRequest(channel=channel, payload=payload))


def publish_numbers(client, channel, numbers):
    """Publishes each number as a message; each must be recorded in the log."""
    for number in numbers:
        assert publish(client, channel, b"%d" % number).sequence, "a message was not recorded"


def numbers_of(events):
    return [int(event.message.payload) for event in events]


def wait_for_receivers(client, channel, count):
    """Waits until exactly `count` streams follow the channel, by publishing messages to it."""
    eventually(
        lambda: publish(client, channel).receivers, lambda n: n == count, "streams that follow"
    )


def wait_until_forgotten(client, channel):
    """Waits until messages to the channel are no longer recorded."""
    eventually(
        lambda: publish(client, channel).sequence, lambda n: n == 0, "the channel is forgotten"
    )
