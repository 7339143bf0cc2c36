"""What the attacks share: connections that send as fast as they can until they are cut, and then begin anew."""

import argparse
import contextlib
import socket
import ssl
import struct
import sys
import threading
import time

import grpc
import hpack
from http2_connection import END_HEADERS, PREFACE, SETTINGS, Http2Connection, connect, frame

GET = "/ferrite.v1.CacheService/Get"
# A server that takes nothing more for so long is left for a new connection.
SEND_S = 1
PIECE_BYTES = 1 << 14


def header_block(path=GET):
    headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "a", "te": "trailers", "content-type": "application/grpc"}
    return hpack.Encoder().encode(headers, huffman=False)


def message_head(size):
    return b"\0" + struct.pack(">I", size)


def take_answers(connection):
    """Reads all that comes, and forgets it."""
    try:
        while connection.recv(1 << 16):
            pass
    except OSError:
        pass


def send_and_read_over_tls(connection, parts, deadline):
    """Sends all parts, and reads the answers in between: one thread at a time may use it."""
    for part in parts:
        for begin in range(0, len(part), PIECE_BYTES):
            if time.monotonic() > deadline:
                return
            connection.settimeout(SEND_S)
            connection.sendall(part[begin : begin + PIECE_BYTES])
            connection.settimeout(0)
            with contextlib.suppress(ssl.SSLWantReadError):
                while connection.recv(1 << 16):
                    pass


def send_and_read(address, parts, deadline, trusted):
    """Sends all parts on one connection, and reads the answers meanwhile."""
    with connect(address, SEND_S, trusted) as connection:
        if trusted is not None:
            with contextlib.suppress(OSError):
                send_and_read_over_tls(connection, [PREFACE + frame(SETTINGS, 0, 0), *parts], deadline)
            return
        reader = threading.Thread(target=take_answers, args=(connection,))
        reader.start()
        try:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
            for part in parts:
                if time.monotonic() > deadline:
                    break
                connection.sendall(part)
        except OSError:
            pass
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        reader.join()


def send_until_cut(address, parts, deadline, trusted):
    """Sends all parts on one connection, and stays until the server ends it. Returns whether it did before the deadline."""
    with connect(address, SEND_S, trusted) as connection:
        try:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
            for part in parts:
                if time.monotonic() > deadline:
                    return False
                connection.sendall(part)
            while time.monotonic() < deadline:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                if not connection.recv(1 << 16):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def serves(address, trusted):
    """Whether a new connection gets an answer to a Get of a key that is not there."""
    with Http2Connection(address, trusted) as connection:
        return connection.call(GET, b"\n\x06absent") == 0


def arguments():
    """What the command line says: ADDRESS SECONDS [HTTP_ADDRESS], and --ca FILE over TLS."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("seconds", type=float)
    parser.add_argument("http_address", nargs="?")
    parser.add_argument("--ca")
    return parser.parse_args()


def run(attack, connections=1):
    """Runs an attack from the command line. Each of so many threads calls attack(options, index, deadline) over and over until the
    deadline; OSError and grpc.RpcError are the server's defence. Fails if it does not serve afterwards.
    """
    options = arguments()
    deadline = time.monotonic() + options.seconds
    failures = []

    def repeat(index):
        while time.monotonic() < deadline and not failures:
            try:
                attack(options, index, deadline)
            except (OSError, grpc.RpcError):
                pass
            except AssertionError as error:
                failures.append(str(error))

    threads = [threading.Thread(target=repeat, args=(index,)) for index in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(failures[0])
    if not serves(options.address, options.ca):
        sys.exit("the server does not answer any more")


def wait_until(deadline, longest_s=2):
    """Holds what there is for a while."""
    threading.Event().wait(min(longest_s, max(0, deadline - time.monotonic())))


def main(parts, connections=1, must_be_cut=True, readers=0):
    """Runs an attack that sends `parts`, a list of bytes or what makes one, on each connection, as fast as it can. The last `readers`
    of the connections read what is answered.
    """
    made = parts() if callable(parts) else parts
    cuts = [0] * connections

    def attack(options, index, deadline):
        if index >= connections - readers:
            send_and_read(options.address, made, deadline, options.ca)
        else:
            cuts[index] += send_until_cut(options.address, made, deadline, options.ca)

    run(attack, connections)
    print(f"connections cut: {sum(cuts)}")
    if must_be_cut and not sum(cuts):
        sys.exit("the server let it happen")
