"""Stubs of all that proto/ holds, in a Python that has google.rpc from googleapis-common-protos.

They come first on the path, so google.rpc is ours. It must be as complete as the public one: other libraries use more of it.
"""

import shutil

from toolchain import CACHE, PROTO, ROOT, python_with, run

PROGRAM = """
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from ferrite.v1 import admin_pb2_grpc, cache_pb2, cache_pb2_grpc
status = status_pb2.Status(code=3, message="no")
for detail in (error_details_pb2.ErrorInfo(reason="KEY_EMPTY"), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()):
    status.details.add().Pack(detail)
print(rpc_status.to_status(status).code.name, cache_pb2.GetRequest(key=b"k").key, status_pb2.__file__)
"""


def test_everything_that_proto_holds():
    python = python_with(ROOT / "client" / "examples" / "python" / "requirements.txt")
    out = CACHE / "python_stubs"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    protos = sorted(path.relative_to(PROTO) for path in PROTO.rglob("*.proto"))
    run(python, "-m", "grpc_tools.protoc", "-I", PROTO, f"--python_out={out}", f"--grpc_python_out={out}", *protos)
    printed = run(python, "-c", PROGRAM, env={"PYTHONPATH": str(out)})
    assert printed.split() == ["INVALID_ARGUMENT", "b'k'", str(out / "google" / "rpc" / "status_pb2.py")]
