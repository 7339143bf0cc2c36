"""A gRPC client that speaks HTTP/2 frame by frame, to send what a well-behaved client never would.

It knows just enough for that. It never widens a receive window, so a server can send it 64 KiB and
then has to wait. It ignores the send window, so whatever it sends must be small.
"""

import socket
import ssl
import struct

import hpack
from server_process import HANG_S

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK, END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
CANCEL = 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def connect(address, timeout, trusted=None):
    """A socket. With `trusted`, a file of authorities, it speaks TLS to a server whose certificate is for localhost."""
    host, _, port = address.rpartition(":")
    plain = socket.create_connection((host, int(port)), timeout=timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if trusted is None:
        return plain
    context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(plain, server_hostname="localhost")


class Http2Connection:
    """One connection. Every method may raise OSError when the server hangs up."""

    def __init__(self, address, trusted=None):
        self.socket = connect(address, HANG_S, trusted)
        self._address = address
        self._next_stream = 1
        self._received = b""
        self._decoder = hpack.Decoder()
        self._outcomes = {}
        self._headers = {}
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a TCP RST, as a firewall or a rebooted client would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def start(self, path, timeout=None, body=None):
        """Begins a call; returns its stream. A body is sent whole and ends the request."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        headers = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": self._address,
            "te": "trailers",
            "content-type": "application/grpc",
        }
        if timeout is not None:
            headers["grpc-timeout"] = timeout
        # A fresh encoder refers to no header of an earlier call.
        frames = frame(HEADERS, END_HEADERS, stream, hpack.Encoder().encode(headers, huffman=False))
        if body is not None:
            frames += frame(DATA, END_STREAM, stream, body)
        self.socket.sendall(frames)
        return stream

    def start_call(self, path, message, timeout=None):
        """Sends a complete call with one message; returns its stream."""
        return self.start(path, timeout, b"\0" + struct.pack(">I", len(message)) + message)

    def send_part(self, stream, raw):
        """Sends raw bytes of a body and leaves the stream open."""
        self.socket.sendall(frame(DATA, 0, stream, raw))

    def cancel(self, stream):
        self.socket.sendall(frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))

    def call(self, path, message, timeout=None):
        """Makes a call; returns its grpc-status as a number, or a text that says what ended it."""
        return self.status_of(self.start_call(path, message, timeout))

    def headers_of(self, stream):
        """Waits for the first headers of the answer."""
        while stream not in self._headers:
            self.take_frame()
        return self._headers[stream]

    def status_of(self, stream):
        while stream not in self._outcomes:
            self.take_frame()
        return self._outcomes[stream]

    def take_frame(self):
        """Waits for the next frame. ConnectionResetError when the server says that it will hang up."""
        head = self._read(9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = self._read(int.from_bytes(head[:3], "big"))
        if kind == HEADERS:
            assert flags & END_HEADERS and not flags & (PADDED | PRIORITY), f"flags {flags}"
            headers = dict(self._decoder.decode(payload))
            self._headers.setdefault(stream, headers)
            if "grpc-status" in headers:
                self._outcomes[stream] = int(headers["grpc-status"])
            elif flags & END_STREAM:
                self._outcomes[stream] = f"HTTP status {headers[':status']}"
        elif kind == RST_STREAM:
            self._outcomes.setdefault(stream, f"RST_STREAM {struct.unpack('>I', payload)[0]}")
        elif kind == GOAWAY:
            raise ConnectionResetError(f"GOAWAY {payload[8:]!r}")
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))

    def _read(self, size):
        while len(self._received) < size:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionResetError("the server closed the connection")
            self._received += more
        taken, self._received = self._received[:size], self._received[size:]
        return taken
