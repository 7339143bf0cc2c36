"""Starts the real ferrite-server for a test, and stops it.

    with ServerProcess("--max-memory=64MiB") as server:
        channel = grpc.insecure_channel(server.grpc_address)

The server binds port 0 and prints the real ports in its ready line. Leaving the block sends SIGTERM
and requires exit code 0, so every test also tests a clean shutdown. FERRITE_SERVER_BINARY names the
binary.
"""

import os
import re
import signal
import subprocess
import tempfile
import time

# How long a step may hang before the test gives up. It never measures speed: a sanitizer build is
# slow.
HANG_S = 60

READY_LINE = re.compile(r"ferrite-server ready grpc=(?P<grpc>\S+) http=(?P<http>\S*)\n")


class ServerProcess:
    """One running server. Not thread-safe, except for the addresses and the pid."""

    def __init__(
        self,
        *flags,
        env=None,
        open_files=None,
        control_group=None,
        grpc_port=0,
        http_port=0,
        listen=None,
        http_listen=None,
        inside=(),
    ):
        """Starts the server with `flags` and the extra environment `env`, and waits until it is
        ready. `open_files` sets its limit on file descriptors, soft and hard; `control_group`
        (control_group.py) is where it runs. `listen` and `http_listen` are other addresses than
        ports of 127.0.0.1; "" leaves the flag out. `inside` is a command that runs the server.
        """
        if listen is None:
            listen = f"127.0.0.1:{grpc_port}"
        if http_listen is None:
            http_listen = f"127.0.0.1:{http_port}"
        self.over_tls = any(flag.startswith("--tls-cert=") for flag in flags)
        self._ended_as_expected = False
        self._stderr = tempfile.TemporaryFile()
        self._process = start_server(
            *([f"--listen={listen}"] if listen else []),
            *([f"--http-listen={http_listen}"] if http_listen else []),
            *flags,
            env=env,
            open_files=open_files,
            control_group=control_group,
            stderr=self._stderr,
            inside=inside,
        )
        self.pid = self._process.pid
        self.ready_line = self._process.stdout.readline().decode()
        match = READY_LINE.fullmatch(self.ready_line)
        if match is None:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"no ready line but {self.ready_line!r}; stderr:\n{self.log()}")
        self.grpc_address = match["grpc"]
        self.http_address = match["http"]

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, trace):
        if error_type is None:
            self.stop()
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        print(f"log of ferrite-server {self.pid}:\n{self.log()}")

    def terminate(self):
        """Sends SIGTERM, as an operator would; returns at once."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self):
        """Sends SIGINT, as Ctrl-C in a terminal would; returns at once."""
        self._process.send_signal(signal.SIGINT)

    def freeze(self):
        """Suspends all threads of the process, whatever they are doing."""
        self._process.send_signal(signal.SIGSTOP)
        while any(state != "T" for state in self._thread_states()):
            time.sleep(0.001)  # the signal reaches the threads one by one

    def signal(self, number):
        """Sends any signal; returns at once."""
        self._process.send_signal(number)

    def sanitized(self):
        """Whether it keeps freed memory, to find out who uses it."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            return re.search(r"lib[at]san\.so", maps.read()) is not None

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def _thread_states(self):
        for thread in os.scandir(f"/proc/{self.pid}/task"):
            with open(f"{thread.path}/stat", encoding="ascii") as stat:
                yield stat.read().rpartition(")")[2].split()[0]

    def running(self):
        return self._process.poll() is None

    def wait(self):
        """Waits until the server has ended; returns (exit code, rest of stdout). A server that
        hangs is killed, and its exit code is -9.
        """
        try:
            rest, _ = self._process.communicate(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            rest, _ = self._process.communicate()
        return self._process.returncode, rest.decode()

    def await_end(self, expected):
        """Waits until the server has ended, with this exit code, which a signal makes negative."""
        code, _ = self.wait()
        assert code == expected, f"exit code {code}; stderr:\n{self.log()}"
        self._ended_as_expected = True

    def stop(self):
        """Stops the server as an operator would. It must exit with 0 and must have printed nothing
        but its ready line.
        """
        if self._ended_as_expected:
            return
        if self._process.poll() is None:
            self.terminate()
        code, rest = self.wait()
        assert (code, rest) == (0, ""), f"exit code {code}, stdout {rest!r}; stderr:\n{self.log()}"

    def log(self):
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")


def start_server(
    *flags, env=None, open_files=None, control_group=None, stderr=subprocess.PIPE, inside=()
):
    """Starts the server and returns its subprocess.Popen at once. The server dies with this
    process, whatever happens.
    """
    binary = os.environ["FERRITE_SERVER_BINARY"]
    command = ["setpriv", "--pdeathsig", "KILL", "--", *inside, binary, *flags]
    if open_files is not None:
        command = ["prlimit", f"--nofile={open_files}:{open_files}", "--", *command]
    if control_group is not None:
        enter = 'echo $$ > "$0" && exec "$@"'
        command = ["sh", "-c", enter, str(control_group.processes_file), *command]
    # FERRITE_ variables in the environment of the tests must not configure the server under test.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
    return subprocess.Popen(
        command,
        env={**clean, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=0,  # what readline() does not return stays in the pipe for communicate()
    )


def refusal_of(*flags, env=None, open_files=None, inside=()):
    """Starts a server that should refuse to start; returns (exit code, stdout, stderr)."""
    with tempfile.TemporaryFile() as stderr:
        process = start_server(*flags, env=env, open_files=open_files, stderr=stderr, inside=inside)
        out = process.stdout.readline()  # empty if the server ends without printing
        if out:
            process.kill()
        out += process.communicate()[0]
        stderr.seek(0)
        return process.returncode, out.decode(), stderr.read().decode()
