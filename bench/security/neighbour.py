"""What one tenant's storm costs another: two namespaces of one server, one of which looks up keys that are there,
one after the other, while the other is quiet or in a storm of writes that evict, of scans and of subscriptions, beyond its limit."""

import contextlib
import pathlib
import subprocess
import tempfile
import time

from harness import load, process, ready_server

POLICY = """
roles:
- {name: all, namespaces: ["*"], key_prefixes: [""], channel_prefixes: [""], verbs: [read, write, delete, scan, publish, subscribe]}
bindings: [{principal: anonymous, roles: [all]}]
namespaces:
- {name: calm, memory: 64MiB}
- {name: stormy, memory: 16MiB, operations_per_second: 5000}
"""
CALM = {"namespace": "calm", "mode": "unary", "connections": 2, "in_flight": 1, "keys": 50_000}
# Twice what the limit lets through, of many times what the memory holds.
WRITES = ["--mode=mget", "--batch=16", "--op=set", "--value-size=1KiB", "--keys=1000000", "--rate=640", "--connections=8"]
SCANS = 1000


class Storm:
    """The other tenant at work, until the context ends."""

    def __init__(self, program, server, cores, folder):
        scans = pathlib.Path(folder) / "scans"
        scans.write_text("scan\n" * SCANS, encoding="utf-8")
        ferrite = [program, "--server", server.address, "--namespace", "stormy"]
        self._commands = [
            [*ferrite, "bench", "--json", "--warmup=0s", "--no-preload", "--duration=1h", *WRITES],
            [*ferrite, "run", scans],
            [*ferrite, "watch", ""],
        ]
        self._cores = cores

    @contextlib.contextmanager
    def blowing(self):
        nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # Behind the generator of the calm tenant's calls, which is what is measured.
        children = [subprocess.Popen(["chrt", "--idle", "0", *process.pinned(command, self._cores)], **nothing) for command in self._commands]
        try:
            time.sleep(0.5)
            yield
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait()


def measure(build_dir, server_cores, load_cores, turns):
    """The outcomes of the calm tenant's calls: alone, and beside the storm. A key that is missed fails the run."""
    program = build_dir / "bin" / "ferrite"
    server = process.pinned([build_dir / "bin" / "ferrite-server", "--listen=127.0.0.1:0", "--http-listen=", "--max-memory=256MiB"], server_cores)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "policy.yaml"
        file.write_text(POLICY, encoding="utf-8")
        with ready_server.running(*server, f"--policy={file}") as ready:
            calm = load.FerriteBench(program, ready, cores=load_cores, **CALM)
            calm.fill()
            storm = Storm(program, ready, load_cores, folder)

            def beside(seconds):
                with storm.blowing():
                    return calm.run(seconds)

            return turns({"calm": calm.run, "beside a storm": beside})
