"""Docker's engine, started by the tests: nothing of an engine that runs on the machine already is used or touched.

    with Engine(data, isolated=True) as engine:
        engine.docker("run", "--rm", "image")

The engine and all that it starts live in a process namespace of their own, which ends with the test, whatever happens. An
isolated one has its own network as well: its bridges, addresses and published ports are not the machine's.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from eventually import eventually

HANG_S = 600


class NoEngine(Exception):
    """No engine can run here; says why."""


def run(*command, **options):
    """The output of a command, which must succeed."""
    done = subprocess.run([str(word) for word in command], stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True,
                          text=True, timeout=HANG_S, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


class Engine:
    def __init__(self, data, isolated):
        """`data`: where it keeps images and containers. Raises NoEngine."""
        if os.geteuid() != 0:
            raise NoEngine("only root can start one")
        if not shutil.which("dockerd"):
            raise NoEngine("dockerd is not installed")
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="ferrite-docker-"))  # a socket's path must be short
        self._socket = self._folder / "socket"
        daemon = ["dockerd", "--data-root", str(data), "--exec-root", str(self._folder / "exec"), "--pidfile",
                  str(self._folder / "pid"), "--host", f"unix://{self._socket}", "--bridge=none"]
        if isolated:
            daemon = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", *daemon]
        else:
            daemon += ["--iptables=false", "--ip6tables=false"]
        self._log = open(self._folder / "log", "w+b")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--fork", "--kill-child", "--pid", "--mount-proc",
             *(["--net"] if isolated else []), "--", *daemon],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            eventually(self._ready, bool, "the engine is up")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if self._process.poll() is None:
            os.kill(self._daemon(), signal.SIGTERM)
        self._process.wait(HANG_S)
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def environment(self):
        return {**os.environ, "DOCKER_HOST": f"unix://{self._socket}", "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(self._folder)}

    def docker(self, *words, **options):
        """What the client prints. Debian's client, whatever else the PATH has: it is of the engine's age."""
        return run("/usr/bin/docker", *words, env=self.environment(), **options)

    def inside(self, *command):
        """Runs a command in the engine's network, where containers publish their ports."""
        return run("nsenter", f"--net=/proc/{self._daemon()}/ns/net", "--", *command)

    def has_image(self, name):
        return bool(self.docker("images", "--quiet", name))

    def log(self):
        self._log.flush()
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _daemon(self):
        """The pid of the engine: the only child of unshare, and the first process of its namespace."""
        own = self._process.pid
        return int(pathlib.Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii"))

    def _ready(self):
        if self._process.poll() is not None:
            raise NoEngine(f"dockerd ended: {self.log()[-1500:]}")
        return self._socket.exists() and subprocess.run(
            ["/usr/bin/docker", "version"], env=self.environment(), capture_output=True, timeout=HANG_S, check=False).returncode == 0
