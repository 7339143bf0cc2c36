"""client/examples/rust as its users have it, with the crates of its lock file."""

import os
import re

import pytest
from toolchain import PROTO, ROOT, assert_prints_what_examples_print, need, run, workspace

EXAMPLE = ROOT / "client" / "examples" / "rust"


def need_rust():
    """Skips the test without a Rust that the crates can be built with."""
    need("cargo", "rustc", "protoc")
    needed = re.search(r'rust-version = "([\d.]+)"', (EXAMPLE / "Cargo.toml").read_text(encoding="utf-8"))[1]
    found = run("rustc", "--version").split()[1]
    if [int(part) for part in found.split(".")[:2]] < [int(part) for part in needed.split(".")]:
        pytest.skip(f"rustc {needed} is not installed, only {found}")


def test_example(server):
    need_rust()
    folder = workspace("rust_example", EXAMPLE) / "rust"
    run("cargo", "build", "--locked", "--quiet", cwd=folder, env={**os.environ, "FERRITE_PROTO": str(PROTO)})
    assert_prints_what_examples_print(run("target/debug/ferrite-example", server.grpc_address, cwd=folder))
