"""Talks to `bench-store --map` and to `ferrite-peers --map`, which speak one language."""

import json
import subprocess
import sys

from harness import build

PEERS_IN_RUST = ("dashmap", "flurry")


class MapProcess:
    """A process that holds one filled map and runs one operation on it at a time."""

    def __init__(self, build_dir, name, *, keys, value_bytes):
        program = (
            build.peers_program(build_dir)
            if name in PEERS_IN_RUST
            else build_dir / "bin" / "bench-store"
        )
        self._process = subprocess.Popen(
            [program, "--map", name, "--keys", str(keys), "--value-bytes", str(value_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            sys.exit("a map process ended; its message is above")
        return json.loads(line)

    def wait_until_filled(self):
        """Returns what map this is, and a digest of the keys that it would pick."""
        answer = self._answer()
        return answer["ready"], answer["picks"]

    def operations_per_second(self, command, seconds):
        self._process.stdin.write(f"{command} {seconds}\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["operations"] / answer["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.wait()
