"""Runs the recipes of docs/security.md in their order, in one folder, with a server on ports of its own.

What the recipe says of kubectl comes from an issuer of this test: a program of that name prints its keys and its tokens.
"""

import os
import pathlib
import re
import shlex
import sys

import pytest
from issuer import Key, key_set
from server_process import ServerProcess
from terminal import run_on_terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "repo"))

import readme_blocks  # noqa: E402

BLOCKS = [block for block in readme_blocks.parse((ROOT / "docs" / "security.md").read_text(encoding="utf-8")) if block.name]
ISSUER = "https://kubernetes.default.svc.cluster.local"
KUBECTL = """#!/bin/sh
case "$*" in
  "get --raw /openid/v1/jwks") cat {keys} ;;
  "create token web --namespace shop --audience ferrite") printf %s {token} ;;
  *) echo "not what the recipe says: $*" >&2; exit 1 ;;
esac
"""


class Reader:
    """Who follows the document."""

    def __init__(self, folder):
        self._folder = folder
        self._server = None
        self._programs = folder / ".programs"
        self._programs.mkdir()
        for variable in ("FERRITE_SERVER_BINARY", "FERRITE_CLI_BINARY"):
            binary = pathlib.Path(os.environ[variable])
            (self._programs / binary.name).symlink_to(binary)
        key = Key("RS256", "of the cluster")
        (self._programs / "keys").write_text(key_set(key), encoding="utf-8")
        kubectl = self._programs / "kubectl"
        token = key.token("system:serviceaccount:shop:web", iss=ISSUER)
        kubectl.write_text(KUBECTL.format(keys=self._programs / "keys", token=token), encoding="utf-8")
        kubectl.chmod(0o755)

    def follow(self, block):
        """Returns what it prints; its exit code must be 0. A server is started, and runs from then on."""
        text = block.text.replace("\\\n", " ")
        words = shlex.split(text)
        if words[0] == "ferrite-server":
            flags = [re.sub(r":638[01]$", ":0", word) for word in words[1:]]
            self._server = ServerProcess(*flags, listen="", http_listen="", inside=("env", "-C", str(self._folder)))
            return ""
        for port, address in self._ports().items():
            text = re.sub(rf"\blocalhost:{port}\b", f"localhost:{address}", text)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
        environment["PATH"] = f"{self._programs}:{os.environ['PATH']}"
        return run_on_terminal(["bash", "-euo", "pipefail", "-c", text], cwd=self._folder, env=environment)

    def _ports(self):
        if self._server is None:
            return {}
        addresses = {6380: self._server.grpc_address, 6381: self._server.http_address}
        return {port: address.rpartition(":")[2] for port, address in addresses.items()}

    def close(self):
        if self._server is not None:
            self._server.stop()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    follows = Reader(tmp_path_factory.mktemp("recipes"))
    yield follows
    follows.close()


def test_there_are_recipes():
    assert len(BLOCKS) > 5


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_recipe(reader, block):
    printed = reader.follow(block)
    if block.expected is not None:
        assert readme_blocks.matches(block.expected, printed), f"promised:\n{block.expected}\nprinted:\n{printed}"
