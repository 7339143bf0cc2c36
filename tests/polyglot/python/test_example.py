"""client/examples/python as its users have it, with packages of PyPI and stubs that these generate."""

import os

from toolchain import PROTO, ROOT, assert_prints_what_examples_print, python_with, run, workspace

EXAMPLE = ROOT / "client" / "examples" / "python"


def test_example(server):
    python = python_with(EXAMPLE / "requirements.txt")
    folder = workspace("python_example", EXAMPLE) / "python"
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run(folder / "generate.sh", PROTO, cwd=folder, env={**outside, "PYTHON": str(python)})
    assert_prints_what_examples_print(run(python, "example.py", server.grpc_address, cwd=folder, env=outside))
