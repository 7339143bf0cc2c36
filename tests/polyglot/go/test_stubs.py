"""Stubs of the contract in a Go program that has google.rpc and grpc.health from elsewhere, as every program with gRPC has."""

import os
import pathlib
import shutil

import pytest
from toolchain import PROTO, need, run, workspace

SOURCES = pathlib.Path(__file__).parent / "stubs"
CONTRACT = sorted(path.relative_to(PROTO) for path in PROTO.glob("ferrite/v1/*.proto"))
WHOLE = sorted(path.relative_to(PROTO) for path in PROTO.rglob("*.proto"))


@pytest.fixture(scope="module")
def space():
    """The program, and protoc's plugins in the versions of its go.mod."""
    need("go", "protoc")
    space = workspace("go_stubs", SOURCES)
    run("go", "install", "google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
        cwd=space / "stubs", env={**os.environ, "GOBIN": str(space / "bin")})
    return space


def generate(space, out, protos, *options):
    """Generates into `out`, which holds nothing else but what `options` put there."""
    path = f"{space / 'bin'}:{os.environ['PATH']}"
    run("protoc", "-I", PROTO, f"--go_out={out}", f"--go-grpc_out={out}", *options, *protos, env={**os.environ, "PATH": path})


def assert_it_runs(space, server):
    run("go", "vet", "./...", cwd=space / "proto")
    printed = run("go", "run", ".", server.grpc_address, cwd=space / "stubs")
    assert printed.splitlines() == [f"pid {server.pid}", "health SERVING", "InvalidArgument ferrite KEY_EMPTY"]


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def test_the_contract_generated_in_place(space, server):
    """As in a clone whose proto/ the program's go.mod names in a `replace`."""
    proto = fresh(space / "proto")
    generate(space, proto, CONTRACT, "--go_opt=module=ferrite/proto", "--go-grpc_opt=module=ferrite/proto")
    assert not list(proto.rglob("google*"))
    for name in ("go.mod", "go.sum"):
        shutil.copy(PROTO / name, proto)
    assert_it_runs(space, server)


def test_everything_that_proto_holds(space, server):
    """What is not ours lands under the paths of the packages that programs have already, and nobody imports it."""
    out = fresh(space / "everything")
    generate(space, out, WHOLE)
    folders = {str(path.parent.relative_to(out)) for path in out.rglob("*.pb.go")}
    not_ours = {folder for folder in folders if not folder.startswith("ferrite/proto/ferrite/")}
    assert "ferrite/proto/ferrite/v1" in folders
    assert not_ours >= {"google.golang.org/genproto/googleapis/rpc/errdetails", "google.golang.org/genproto/googleapis/rpc/status",
                        "google.golang.org/grpc/health/grpc_health_v1"}
    assert not [folder for folder in not_ours if not folder.startswith(("google.golang.org/", "go.etcd.io/"))]
    shutil.rmtree(space / "proto", ignore_errors=True)
    (out / "ferrite" / "proto").rename(space / "proto")
    for name in ("go.mod", "go.sum"):
        shutil.copy(PROTO / name, space / "proto")
    assert_it_runs(space, server)


def test_no_package_has_a_domain_that_is_not_ours(space):
    """What go_package names must not be fetched: its path starts without a domain, as only paths of local modules do."""
    out = fresh(space / "everything")
    generate(space, out, CONTRACT)
    first = {path.relative_to(out).parts[0] for path in out.rglob("*.pb.go")}
    assert first == {"ferrite"}
