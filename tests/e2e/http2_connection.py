"""A gRPC client that speaks HTTP/2 frame by frame, for what a well-behaved client library
refuses to send.
"""

import socket
import struct

import h2.config
import h2.connection
import h2.events
from server_process import HANG_S


class Http2Connection:
    """One connection. Every method may raise OSError when the server hangs up."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=HANG_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._address = address
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True, header_encoding="utf-8", validate_outbound_headers=False
            )
        )
        self._outcomes = {}
        self._h2.initiate_connection()
        self._flush()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a TCP RST, as the death of the client's machine or a firewall
        would.
        """
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def start(self, path, timeout=None):
        """Sends the headers of a call; returns its stream."""
        stream = self._h2.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", self._address),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        if timeout is not None:
            headers.append(("grpc-timeout", timeout))
        self._h2.send_headers(stream, headers)
        self._flush()
        return stream

    def send_message(self, stream, message):
        """Sends the only message of a call, and the end of its stream. Waits for the server's
        window when it has to.
        """
        body = b"\0" + struct.pack(">I", len(message)) + message
        while (
            body and stream not in self._outcomes
        ):  # the server may answer before it has the message
            size = min(
                self._h2.local_flow_control_window(stream),
                self._h2.max_outbound_frame_size,
                len(body),
            )
            if size == 0:
                self._receive()
                continue
            self._h2.send_data(stream, body[:size], end_stream=size == len(body))
            self._flush()
            body = body[size:]

    def send_part(self, stream, raw):
        """Sends raw bytes of the body and leaves the stream open."""
        self._h2.send_data(stream, raw)
        self._flush()

    def cancel(self, stream):
        self._h2.reset_stream(stream, error_code=8)
        self._flush()

    def call(self, path, message, timeout=None):
        """Makes a unary call; returns its grpc-status as a number."""
        stream = self.start(path, timeout)
        self.send_message(stream, message)
        return self.status_of(stream)

    def status_of(self, stream):
        """Reads until the call has ended; returns its grpc-status, or what ended it instead."""
        while stream not in self._outcomes:
            self._receive()
        return self._outcomes[stream]

    def _receive(self):
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        for event in self._h2.receive_data(received):
            headers = dict(getattr(event, "headers", None) or ())
            if "grpc-status" in headers:
                self._outcomes[event.stream_id] = int(headers["grpc-status"])
            elif isinstance(event, h2.events.StreamReset):
                self._outcomes.setdefault(event.stream_id, f"RST_STREAM {event.error_code}")
            elif isinstance(event, h2.events.DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self._flush()

    def _flush(self):
        self.socket.sendall(self._h2.data_to_send())
