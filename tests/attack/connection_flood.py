"""Connections that are made as fast as can be, beside as many idle ones as the server takes, and calls on those that are turned away."""

import socket

import flood
from http2_connection import Http2Connection

IDLE = 250
FLOOD = 200
THREADS = 8


def attack(options, index, deadline):
    host, _, port = options.address.rpartition(":")
    made = []
    try:
        if index < THREADS // 2:
            made += (socket.create_connection((host, int(port)), timeout=flood.SEND_S) for _ in range(IDLE))
            flood.wait_until(deadline)
            return
        for _ in range(FLOOD):
            socket.create_connection((host, int(port)), timeout=flood.SEND_S).close()
        with Http2Connection(options.address) as connection:
            connection.call(flood.GET, b"\n\x06absent")
    finally:
        for connection in made:
            connection.close()


if __name__ == "__main__":
    flood.run(attack, connections=THREADS)
