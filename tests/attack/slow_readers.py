"""Calls for a value, as many as can be sent, by 60 clients that read a little now and then: never enough to see more than refusals."""

import threading
import time

import flood
import unread_refusals

CONNECTIONS = 60
PAUSE_S = 0.05
BYTES = 2048


def attack(options, _, deadline):
    with unread_refusals.connect(options.address) as connection:
        ended = threading.Event()

        def read_slowly():
            while not ended.wait(PAUSE_S) and connection.recv(BYTES):
                pass

        reader = threading.Thread(target=read_slowly)
        reader.start()
        try:
            unread_refusals.call(connection)
            ended.wait(max(0, deadline - time.monotonic()))
        finally:
            ended.set()
            reader.join()


if __name__ == "__main__":
    flood.run(attack, connections=CONNECTIONS)
