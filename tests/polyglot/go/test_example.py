"""client/examples/go as its users have it: in a folder of its own, with stubs in its own module."""

from toolchain import PROTO, ROOT, assert_prints_what_examples_print, need, run, workspace


def test_example(server):
    need("go", "protoc")
    folder = workspace("go_example", ROOT / "client" / "examples" / "go") / "go"
    run(folder / "generate.sh", PROTO, cwd=folder)
    run("go", "vet", ".", cwd=folder)
    assert_prints_what_examples_print(run("go", "run", ".", server.grpc_address, cwd=folder))
