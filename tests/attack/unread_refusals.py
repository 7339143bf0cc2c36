"""Calls for a value, as many as can be sent, by 60 clients that never read: nor do they see that most are refused."""

import socket
import struct

import flood
import grpc
from ferrite.v1 import cache_pb2, cache_pb2_grpc
from http2_connection import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame

CONNECTIONS = 60
CALLS = 1_000
WINDOW_UPDATE, INITIAL_WINDOW_SIZE = 8, 4
WIDE = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, (1 << 31) - 1)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30))
KEY = b"unread"


def connect(address):
    """A connection of a client that has room for next to nothing, but says that it has for all."""
    with grpc.insecure_channel(address) as channel:
        cache_pb2_grpc.CacheServiceStub(channel).Set(cache_pb2.SetRequest(key=KEY, value=b"v" * 100_000))
    host, _, port = address.rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(flood.SEND_S)
    connection.connect((host, int(port)))
    connection.sendall(PREFACE + WIDE + frame(SETTINGS, ACK, 0))
    return connection


def call(connection):
    """Asks for the value on as many streams as there may be."""
    block = flood.header_block()
    request = cache_pb2.GetRequest(key=KEY).SerializeToString()
    body = flood.message_head(len(request)) + request
    for stream in range(1, 2 * CALLS, 2):
        connection.sendall(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body))


def attack(options, _, deadline):
    with connect(options.address) as connection:
        call(connection)
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack, connections=CONNECTIONS)
