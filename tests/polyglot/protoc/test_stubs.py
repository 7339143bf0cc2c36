"""All that proto/ holds, in every language that protoc itself and Debian's plugins know: it must generate without a complaint,
and under names that do not collide with those of others.
"""

import re
import shutil

import pytest
from toolchain import PROTO, need, run

PROTOS = sorted(path.relative_to(PROTO) for path in PROTO.rglob("*.proto"))
# What a file of the contract must have in it, by language: the namespace, or the prefix of classes.
NAMES = {
    "cpp": r"namespace ferrite \{\s*namespace v1 \{",
    "csharp": r"namespace Ferrite\.V1 \{",
    "java": r"package ferrite\.v1;",
    "kotlin": r"package ferrite\.v1;",
    "objc": r"@interface FERGetRequest\b",
    "php": r"namespace Ferrite\\V1;",
    "pyi": r"class GetRequest\(",
    "python": r"ferrite\.v1",
    "ruby": r"module Ferrite\s+module V1",
}


@pytest.mark.parametrize("language", NAMES)
def test_protoc(language, tmp_path):
    printed = run("protoc", "-I", PROTO, f"--{language}_out={tmp_path}", *PROTOS)
    assert printed == ""
    generated = [path.read_text(encoding="utf-8", errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert any(re.search(NAMES[language], text) for text in generated)


@pytest.mark.parametrize("language", ["cpp", "csharp", "objective_c", "php", "python", "ruby"])
def test_plugin_of_grpc(language, tmp_path):
    plugin = f"grpc_{language}_plugin"
    need(plugin)
    printed = run("protoc", "-I", PROTO, f"--plugin=protoc-gen-x={shutil.which(plugin)}", f"--x_out={tmp_path}", *PROTOS)
    assert printed == ""
    assert list(tmp_path.rglob("*"))


def test_nothing_needs_a_newer_protoc_than_3_15():
    """`optional` needs 3.15; editions and other newer syntax would leave out what distributions ship."""
    for proto in PROTOS:
        assert re.search(r'^syntax = "proto3";$', (PROTO / proto).read_text(encoding="utf-8"), re.MULTILINE), proto
