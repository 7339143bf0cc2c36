"""Runs the examples of README.md against a real server, as a newcomer would from the root of the repository.

If the README shows the output of an example, what the example prints on a terminal must match it; readme_blocks.py says how
examples are marked. They run in order, with one server, in one scratch directory that looks like the root of the
repository: an example finds the files that earlier ones left. The addresses 127.0.0.1:6380 and 127.0.0.1:6381 (or localhost)
are replaced by those of the server under test, and ./build/release is the build under test.

    sh       bash -euo pipefail
    python   Debian's python3, as a script in the scratch directory
    js       node, as an ES module in the scratch directory, with the packages that tests/polyglot/node installs
    cpp      a separate program, linked with the client library and built with everything else
"""

import os
import pathlib
import re

import pytest
import readme_blocks
from server_process import ServerProcess
from terminal import run_on_terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parent.parent
HIDDEN = {".git", ".cache", "build", "node_modules"}


class Newcomer:
    """Runs examples in a scratch directory."""

    def __init__(self, scratch, server):
        self._scratch = scratch
        self._server = server
        for path in ROOT.iterdir():
            if path.name not in HIDDEN:
                (scratch / path.name).symlink_to(path)
        (scratch / "build").mkdir()
        (scratch / "build" / "release").symlink_to(BUILD)
        # What `npm install @grpc/grpc-js @grpc/proto-loader` leaves; the Node tests have installed it.
        (scratch / "node_modules").symlink_to(BUILD / "tests" / "polyglot" / "node" / "run" / "node_modules")
        # `python3` in a shell must be Debian's too, whatever else the PATH has.
        self._programs = scratch / ".programs"
        self._programs.mkdir()
        (self._programs / "python3").symlink_to("/usr/bin/python3")

    def run(self, block):
        """Returns what the example prints on a terminal; its exit code must be 0."""
        return run_on_terminal(self._command(block), cwd=self._scratch, env=self._environment())

    def _environment(self):
        return {**os.environ, "PATH": f"{self._programs}:{os.environ['PATH']}", "FERRITE_SERVER": self._server.grpc_address,
                "PYTHONDONTWRITEBYTECODE": "1"}

    def _command(self, block):
        text = re.sub(r"\b(127\.0\.0\.1|localhost):6380\b", self._server.grpc_address, block.text)
        text = re.sub(r"\b(127\.0\.0\.1|localhost):6381\b", self._server.http_address, text)
        if block.language == "sh":
            return ["bash", "-euo", "pipefail", "-c", text]
        if block.language == "cpp":
            return [BUILD / "bin" / f"readme_{block.name}"]
        suffix, program = {"python": (".py", "/usr/bin/python3"), "js": (".mjs", "node")}[block.language]
        script = self._scratch / f"example_{block.name}{suffix}"
        script.write_text(text, encoding="utf-8")
        return [program, script]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    with ServerProcess() as server:
        yield Newcomer(tmp_path_factory.mktemp("readme"), server)


@pytest.mark.parametrize("block", [block for block in readme_blocks.readme() if block.name], ids=lambda block: block.name)
def test_example(newcomer, block):
    printed = newcomer.run(block)
    if block.expected is not None:
        assert readme_blocks.matches(block.expected, printed), f"README.md:{block.line} promises\n{block.expected}\n" \
                                                               f"but it prints\n{printed}"
