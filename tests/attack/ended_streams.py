"""Calls without a message, as fast as they can be sent. Half of the connections read the answers."""

import flood
from http2_connection import ACK, END_HEADERS, END_STREAM, HEADERS, SETTINGS, frame

STREAMS = 50_000


def parts():
    block = flood.header_block()
    frames = [frame(HEADERS, END_HEADERS | END_STREAM, stream, block) for stream in range(1, 2 * STREAMS, 2)]
    return [frame(SETTINGS, ACK, 0)] + [b"".join(frames[i : i + 500]) for i in range(0, STREAMS, 500)]


if __name__ == "__main__":
    flood.main(parts, connections=4, must_be_cut=False, readers=2)
