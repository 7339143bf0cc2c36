"""Connections to the HTTP port that send a byte now and then, beside probes of /healthz, which must be answered."""

import socket
import ssl
import threading
import urllib.request

import flood

DRIPPING = 64
PAUSE_S = 0.1
# Probes of Kubernetes wait for a second by default.
LONGEST_S = 1


def attack(options, index, deadline):
    host, _, port = options.http_address.rpartition(":")
    if index == 0:
        scheme, context = ("https", ssl._create_unverified_context()) if options.ca else ("http", None)
        url = f"{scheme}://{options.http_address}/healthz"
        with urllib.request.urlopen(url, timeout=10 * LONGEST_S, context=context) as answer:
            assert answer.status == 200, answer.status
        threading.Event().wait(PAUSE_S)
        return
    with socket.create_connection((host, int(port)), timeout=flood.SEND_S) as connection:
        for byte in b"GET /metrics HTTP/1.1\r\nHost: " + b"a" * 1000:
            connection.sendall(bytes([byte]))
            threading.Event().wait(PAUSE_S)


if __name__ == "__main__":
    flood.run(attack, connections=DRIPPING + 1)
