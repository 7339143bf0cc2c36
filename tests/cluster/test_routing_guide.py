"""Runs the example of docs/routing.md."""

import pathlib
import subprocess
import sys

import pytest
from server_process import HANG_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "repo"))

import readme_blocks

BLOCKS = readme_blocks.parse((ROOT / "docs" / "routing.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_example(block):
    assert block.language == "python" and block.expected is not None
    done = subprocess.run([sys.executable, "-"], input=block.text, capture_output=True, text=True, timeout=HANG_S, check=True)
    assert readme_blocks.matches(block.expected, done.stdout), f"routing.md:{block.line} prints\n{done.stdout}"
