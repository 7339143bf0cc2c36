"""Builds what a benchmark runs."""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def _run(*command):
    """Keeps quiet unless the command fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")


def targets(build_dir, *names):
    """Brings the named targets up to date, configuring an optimized build if there is none."""
    if not names:
        return
    cache = build_dir / "CMakeCache.txt"
    if not cache.exists():
        _run("cmake", "--preset", "release", "-B", build_dir)
    settings = cache.read_text(encoding="utf-8")
    if not re.search(r"^CMAKE_BUILD_TYPE:\w+=Release$", settings, re.MULTILINE):
        print("warning: not a Release build, these figures mean nothing", file=sys.stderr)
    print(f"building {', '.join(names)}", file=sys.stderr)
    _run("cmake", "--build", build_dir, "--target", *names)


def peers_program(build_dir):
    return build_dir / "peers" / "release" / "ferrite-peers"


def peers(build_dir):
    """Brings the Rust peers up to date, with the crates that Cargo.lock names."""
    if shutil.which("cargo") is None:
        sys.exit("the Rust peers need cargo: apt-get install rustc-web cargo-web")
    print("building ferrite-peers", file=sys.stderr)
    _run(
        "cargo",
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        ROOT / "bench/peers/Cargo.toml",
        "--target-dir",
        build_dir / "peers",
    )
