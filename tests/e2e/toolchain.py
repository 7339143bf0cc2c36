"""The toolchains of other languages: whether they are there, and where they build.

What they build is kept in .cache/polyglot, so that a second run finds it. A test whose toolchain is missing is skipped, and
says so. Nothing is written beside the sources.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
CACHE = ROOT / ".cache" / "polyglot"

# Ends a tool that hangs. The first build of a language fetches its packages.
HANG_S = 900


def need(*programs):
    """Skips the test unless all of these are on the PATH."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def run(*command, cwd=None, env=None, codes=(0,)):
    """What the command prints, standard error after standard output. Its exit code must be one of `codes`."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=HANG_S, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode in codes, f"{command} ended with {done.returncode}\n{printed}"
    return printed


def workspace(name, *sources):
    """.cache/polyglot/NAME with copies of the folders `sources`, side by side. A file that has not changed keeps its time, and
    what else lies there stays, but for copies of files that are gone.
    """
    space = CACHE / name
    space.mkdir(parents=True, exist_ok=True)
    listing = space / ".copies"
    before = set(listing.read_text(encoding="utf-8").splitlines()) if listing.exists() else set()
    wanted = {str(path.relative_to(source.parent)): path for source in sources for path in source.rglob("*")
              if path.is_file() and path.suffix != ".pyc"}
    for gone in before - set(wanted):
        (space / gone).unlink(missing_ok=True)
    for copy, path in wanted.items():
        target = space / copy
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != path.read_bytes():
            shutil.copy(path, target)
    listing.write_text("\n".join(sorted(wanted)), encoding="utf-8")
    return space


def build_once(space, inputs, build):
    """Calls build() in a workspace unless it was built from the same files before. For tools that take seconds to see that."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in inputs for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    built = space / ".built"
    if not built.exists() or built.read_text(encoding="utf-8") != digest.hexdigest():
        built.unlink(missing_ok=True)
        build()
        built.write_text(digest.hexdigest(), encoding="utf-8")


def python_with(requirements):
    """A Python of its own, with the packages of a requirements file."""
    if run("/usr/bin/python3", "-c", "import ensurepip", codes=(0, 1)):
        pytest.skip("python3-venv is not installed")
    space = CACHE / "python"
    space.mkdir(parents=True, exist_ok=True)
    python, installed = space / "venv" / "bin" / "python3", space / "installed.txt"
    wanted = requirements.read_text(encoding="utf-8")
    with open(space / "lock", "w", encoding="utf-8") as lock:  # another test may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not python.exists() or not installed.exists() or installed.read_text(encoding="utf-8") != wanted:
            run("/usr/bin/python3", "-m", "venv", "--clear", space / "venv")
            run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements)
            installed.write_text(wanted, encoding="utf-8")
    return python


def assert_prints_what_examples_print(printed):
    """The example of every language prints the same."""
    expected = (ROOT / "client" / "examples" / "output.txt").read_text(encoding="utf-8")
    assert printed == expected, f"expected\n{expected}\nbut it printed\n{printed}"
