"""client/examples/java as its users have it, built by Maven; and with google.rpc and grpc.health generated as well, beside the
jars that have them already.
"""

import pytest
from toolchain import PROTO, ROOT, assert_prints_what_examples_print, build_once, need, run, workspace

EXAMPLE = ROOT / "client" / "examples" / "java"


@pytest.mark.parametrize("protos", ["ferrite/v1/*.proto", "**/*.proto"], ids=["contract", "everything"])
def test_example(server, protos, request):
    need("mvn", "javac")
    space = workspace(f"java_{request.node.callspec.id}", EXAMPLE)
    folder = space / "java"
    options = [f"-Dferrite.proto={PROTO}", f"-Dferrite.protos={protos}"]
    build_once(space, [EXAMPLE, PROTO], lambda: run("mvn", "-q", "-B", "compile", *options, cwd=folder))
    printed = run("java", "-cp", "target/classes:target/dependency/*", "example.Example", server.grpc_address, cwd=folder)
    assert_prints_what_examples_print(printed)
    assert (folder / "target" / "classes" / "com" / "google" / "rpc").exists() == (protos == "**/*.proto")
