"""Runs the examples of docs/operations.md in their order, with ports of its own."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from cluster_processes import free_port
from server_process import HANG_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "repo"))

import readme_blocks

BLOCKS = readme_blocks.parse((ROOT / "docs" / "operations.md").read_text(encoding="utf-8"))


class Operator:
    """Types the examples into shells, one after the other, and ends what they have started."""

    def __init__(self, folder):
        self._folder = folder
        self._ports = {}
        self._sessions = []

    def _port(self, number):
        return self._ports.setdefault(number, str(free_port()))

    def run(self, text):
        """What the example prints; what it starts in the background goes on."""
        text = re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda found: self._port(found[0]), text)
        text = re.sub(r"^((?:node|restart) n\d) (\d+) (\d+)$", lambda found: f"{found[1]} {self._port(found[2])} {self._port(found[3])}",
                      text, flags=re.MULTILINE)
        # The command finds the first node where an operator's does.
        text = f'ferrite() {{ command ferrite --server "127.0.0.1:{self._port("6380")}" "$@"; }}\n{text}'
        binaries = pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).parent
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
        environment = clean | {"PATH": f"{binaries}:{os.environ['PATH']}"}
        with open(self._folder / "printed", "w+", encoding="utf-8") as printed, open(self._folder / "errors", "w+", encoding="utf-8") as errors:
            process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", text], cwd=self._folder, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=printed, stderr=errors, start_new_session=True)
            self._sessions.append(process.pid)
            code = process.wait(HANG_S)
            printed.seek(0)
            errors.seek(0)
            out = printed.read()
            assert code == 0, f"exit code {code}\n{out}\n{errors.read()}"
            return out

    def end(self):
        for session in self._sessions:
            try:
                os.killpg(session, signal.SIGKILL)
            except ProcessLookupError:
                continue  # all of it has ended


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    one = Operator(tmp_path_factory.mktemp("operator"))
    yield one
    one.end()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.name], ids=lambda block: block.name)
def test_example(operator, block):
    printed = operator.run(block.text)
    if block.expected is not None:
        assert readme_blocks.matches(block.expected, printed), f"operations.md:{block.line} promises\n{block.expected}\nbut it prints\n{printed}"
