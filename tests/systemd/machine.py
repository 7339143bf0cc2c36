"""A Debian that boots in a container of systemd-nspawn, with the built programs and the unit installed, and no network."""

import atexit
import functools
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import debian
import pytest
from eventually import eventually

ROOT = debian.ROOT
HANG_S = 900
PROGRAMS = [pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name(name) for name in ("ferrite-server", "ferrite")]
UNIT = ROOT / "deploy" / "systemd" / "ferrite.service"


def packages():
    """systemd, and the libraries of the programs: the Dockerfile has the list, which tests/docker checks."""
    runtime = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
    words = re.search(r"apt-get install -y --no-install-recommends ([^&]+)", runtime)[1]
    return ["systemd", "systemd-sysv", *words.replace("\\\n", " ").split()]


def nspawn(folder, *words):
    """The command that runs systemd-nspawn, in a unit of its own or, on a machine without systemd, in control groups of ours."""
    command = ["systemd-nspawn", "--quiet", "--register=no", "--directory", folder, *words]
    if not pathlib.Path("/run/systemd/system").exists():
        for group in groups():
            group.mkdir(exist_ok=True)
        join = "".join(f"echo $$ >{group}/cgroup.procs; " for group in groups())
        command.insert(1, "--keep-unit")
        command = ["sh", "-c", join + 'exec "$@"', "sh", *command]
    return [str(word) for word in command]


def groups():
    """Where nspawn puts its own control groups: below the hierarchies that systemd uses."""
    root = pathlib.Path("/sys/fs/cgroup")
    hierarchies = [root / name for name in ("systemd", "unified")]
    return [folder / f"ferrite-test-{os.getpid()}" for folder in hierarchies if (folder / "cgroup.procs").exists()]


def remove_groups():
    for group in groups():
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


atexit.register(remove_groups)


def bootable():
    """The folder of a minimal Debian with systemd: made once for each list of packages."""
    wanted = packages()
    name = "systemd-" + hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:12]

    def fill(folder):
        shutil.copytree(debian.minimal(), folder, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("dev"))
        (folder / "dev").mkdir()
        run = functools.partial(subprocess.run, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_S, check=False)
        trial = run(nspawn(folder, "--pipe", "true"))
        if trial.returncode != 0:
            pytest.skip(f"systemd-nspawn cannot run here: {trial.stderr[-700:]}")
        install = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(wanted)} && apt-get clean"
        done = run(nspawn(folder, "--pipe", "--setenv=DEBIAN_FRONTEND=noninteractive", "sh", "-c", install))
        assert done.returncode == 0, f"{done.stdout[-1000:]}{done.stderr[-1000:]}"

    return debian.make_folder(debian.CACHE / name, fill)


class Machine:
    """The machine, booted. What it writes is forgotten."""

    def __init__(self):
        if os.geteuid() != 0:
            pytest.skip("only root can boot a container")
        if not shutil.which("systemd-nspawn"):
            pytest.skip("systemd-nspawn is not installed")
        binds = [f"--bind-ro={program}:/usr/local/bin/{program.name}" for program in PROGRAMS]
        binds.append(f"--bind-ro={UNIT}:/etc/systemd/system/{UNIT.name}")
        self._log = tempfile.TemporaryFile()
        self._nspawn = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--",
             *nspawn(bootable(), "--boot", "--volatile=overlay", "--private-network", "--machine=ferrite-test", "--console=pipe", *binds)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        booted = eventually(self._state, lambda state: state in ("running", "degraded", "ended"), "it boots")
        if booted == "ended":
            pytest.skip(f"no container can boot here: {self._console()}")

    def close(self):
        if self._nspawn.poll() is None:
            self._nspawn.send_signal(signal.SIGTERM)  # an orderly shutdown
        self._nspawn.wait(HANG_S)

    def run(self, *command, check=True):
        """The output of a command in the machine."""
        done = subprocess.run(["nsenter", "--target", str(self._init()), "--all", "--", *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=HANG_S, check=False)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}\n{self.journal()}"
        return done.stdout.strip()

    def journal(self, *words):
        return subprocess.run(["nsenter", "--target", str(self._init()), "--all", "--", "journalctl", "--no-pager", "--unit=ferrite",
                               *words], capture_output=True, text=True, timeout=HANG_S, check=False).stdout

    def property(self, name):
        return self.run("systemctl", "show", "ferrite", "--property", name, "--value")

    def _init(self):
        own = self._nspawn.pid
        children = pathlib.Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii").split()
        return int(children[0]) if children else 0

    def _state(self):
        if self._nspawn.poll() is not None:
            return "ended"
        return self.run("systemctl", "is-system-running", check=False) if self._init() else "starting"

    def _console(self):
        self._log.seek(0)
        return self._log.read()[-1000:].decode(errors="replace")
