"""A subscription as a program uses it: events one by one, each checked against what every stream
promises.
"""

import grpc
from cache_client import failure_of
from eventually import eventually
from ferrite.v1.cache_pb2 import PublishRequest, SubscribeRequest

# Events that stand for something that was recorded, each with a sequence of its own.
RECORDED = ("message", "key_event")


def events_of(responses):
    """The events of responses, in order. What holds for every stream is checked on the way."""
    last_sequence, last_recorded = 0, 0
    for response in responses:
        assert response.events, "a response without events"
        for event in response.events:
            assert event.resume_token and event.WhichOneof("event"), event
            if event.WhichOneof("event") in RECORDED:
                assert event.sequence > last_recorded, f"{event} comes after {last_recorded}"
                last_recorded = event.sequence
            assert event.sequence >= last_sequence, f"{event} comes after {last_sequence}"
            last_sequence = event.sequence
            yield event


class Subscriber:
    """One stream, which stands once this is made. `token` is that of the last event read, and
    `position` its sequence.

    `request` are the fields of a SubscribeRequest.
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
        """The next events, heartbeats aside; all of them have to be messages or events of keys."""
        taken = [self.next_but_heartbeats() for _ in range(count)]
        for event in taken:
            assert event.WhichOneof("event") in RECORDED, event
        return taken

    def take_payloads(self, count):
        return [event.message.payload for event in self.take(count)]

    def take_key_events(self, count):
        """As tuples of key, kind and version."""
        events = [event.key_event for event in self.take(count)]
        return [(event.key, event.kind, event.version) for event in events]

    def take_discontinuity(self):
        event = self.next_but_heartbeats()
        assert event.HasField("discontinuity"), event
        return event.discontinuity

    def rest(self):
        """The events that still come until the stream ends with an error, and that error taken
        apart.
        """
        events = []
        try:
            while True:
                events.append(self.next_event())
        except grpc.RpcError as error:
            return events, failure_of(error)
        except StopIteration:
            raise AssertionError("the stream ended without an error") from None

    def failure(self):
        """How the stream ends, after whatever still comes."""
        return self.rest()[1]


def publish(client, channel, payload=b""):
    return client.Publish(PublishRequest(channel=channel, payload=payload))


def publish_numbers(client, channel, numbers):
    """Sends each number as a message, for which there has to be a place in the log."""
    for number in numbers:
        assert publish(client, channel, b"%d" % number).sequence, "a message was not recorded"


def numbers_of(events):
    return [int(event.message.payload) for event in events]


def wait_for_receivers(client, channel, count):
    """Waits until so many streams follow the channel. Sends messages to it meanwhile."""
    eventually(
        lambda: publish(client, channel).receivers, lambda n: n == count, "streams that follow"
    )


def wait_until_forgotten(client, channel):
    """Waits until nothing that is sent to the channel is recorded."""
    eventually(
        lambda: publish(client, channel).sequence, lambda n: n == 0, "the channel is forgotten"
    )
