"""Debian 12 as a folder, for images and machines of the tests: made once by debootstrap, and kept in .cache/."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "debian"
RELEASE = "bookworm"
HANG_S = 900


def mirror():
    """Where this machine gets Debian from; a machine behind a mirror reaches nothing else."""
    fields = subprocess.run(["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)", "Created-By: Packages"],
                            capture_output=True, text=True, check=False).stdout.split("\n")
    sites = [line.split()[2] for line in fields if line.startswith(f"{RELEASE} main ")]
    return sites[0] if sites else "http://deb.debian.org/debian"


def make_folder(path, fill):
    """`path`, which `fill(folder)` has made: at most once, and never half."""
    if not path.exists():
        unfinished = path.with_name(path.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        fill(unfinished)
        unfinished.rename(path)
    return path


def minimal():
    """The folder with a minimal Debian, such as the image debian:bookworm-slim has. Skips the test if Debian cannot be reached."""

    def fill(folder):
        done = subprocess.run(["debootstrap", "--variant=minbase", RELEASE, folder, mirror()],
                              capture_output=True, text=True, timeout=HANG_S, check=False)
        if done.returncode != 0:
            pytest.skip(f"debootstrap cannot install Debian here: {done.stdout[-500:]}{done.stderr[-500:]}")
        for package in (folder / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()

    return make_folder(CACHE / RELEASE, fill)
