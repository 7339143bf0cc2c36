"""No attack, though it looks like one: an honest client whose calls all end by their deadlines, ten thousand a second, Pipeline streams
among them. It must not be cut.
"""

import select
import struct
import sys
import time

import flood
from http2_connection import ACK, CANCEL, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, connect, frame

PER_SECOND = 10_000
TICK_S = 0.005
EACH = int(PER_SECOND * TICK_S)
KEY = b"\n\x01k"
WINDOW_UPDATE = 8
PONG = frame(PING, ACK, 0, b"the last")


def calls(streams):
    """Get and every tenth time Pipeline."""
    get, pipeline = flood.header_block(), flood.header_block("/ferrite.v1.CacheService/Pipeline")
    message = flood.message_head(len(KEY)) + KEY
    for stream in streams:
        if stream % 20 == 1:
            yield frame(HEADERS, END_HEADERS, stream, pipeline)
        else:
            yield frame(HEADERS, END_HEADERS, stream, get) + frame(DATA, END_STREAM, stream, message)


def read_until(connection, end):
    """Reads what comes until then."""
    while select.select([connection], [], [], max(0, end - time.monotonic()))[0]:
        if not connection.recv(1 << 20):
            sys.exit("the connection was cut")


def main(address, seconds, trusted):
    with connect(address, flood.SEND_S, trusted) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))
        first = 1
        before = range(0)
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            begun = range(first, first + 2 * EACH, 2)
            first += 2 * EACH
            resets = (frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)) for stream in before)
            connection.sendall(b"".join([*calls(begun), *resets]))
            read_until(connection, now + TICK_S)
            before = begun
        connection.sendall(frame(PING, 0, 0, b"the last"))
        received = b""
        while PONG not in received:
            select.select([connection], [], [])
            more = connection.recv(1 << 20)
            if not more:
                sys.exit("the connection was cut")
            received += more
    print(f"calls that expired: {first // 2}")


if __name__ == "__main__":
    arguments = flood.arguments()
    main(arguments.address, arguments.seconds, arguments.ca)
