"""client/examples/node as its users have it: TypeScript with types that proto-loader generates."""

import shutil

from toolchain import PROTO, ROOT, assert_prints_what_examples_print, build_once, need, run, workspace

EXAMPLE = ROOT / "client" / "examples" / "node"


def test_example(server):
    need("node", "npm")
    space = workspace("node_example", EXAMPLE)
    folder = space / "node"
    # The lock file of the last complete installation is kept beside it.
    lock, installed = folder / "package-lock.json", folder / "node_modules" / "installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
        shutil.copy(lock, installed)
    if not (folder / "proto").exists():
        (folder / "proto").symlink_to(PROTO)
    build_once(space, [EXAMPLE, PROTO], lambda: run("npm", "run", "build", cwd=folder))
    assert_prints_what_examples_print(run("node", "build/example.js", server.grpc_address, cwd=folder))
