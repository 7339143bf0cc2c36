"""The client library from outside of this repository: fetched into another project's build, installed and found by CMake, and
by pkg-config. Only the client is built, and what the server needs is hidden from CMake.
"""

import os
import pathlib
import re

import pytest
from toolchain import CACHE, ROOT, assert_prints_what_examples_print, need, run

FETCHED = pathlib.Path(__file__).parent / "fetched"
EXAMPLE = ROOT / "client" / "examples" / "cpp"
SPACE = CACHE / "cpp"
PREFIX = SPACE / "prefix"
ONLY_OF_THE_SERVER = ["TBB", "prometheus-cpp", "microhttpd", "nghttp2", "spdlog", "CLI11", "nlohmann_json", "GTest", "benchmark"]


@pytest.fixture(scope="module")
def build():
    """The build of a project that fetches Ferrite."""
    need("cmake", "ninja", "g++")
    build = SPACE / "fetched"
    hidden = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ONLY_OF_THE_SERVER]
    run("cmake", "-G", "Ninja", "-S", FETCHED, "-B", build, f"-DFERRITE_SOURCE={ROOT}", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",
        *hidden)
    run("cmake", "--build", build, "-j2")
    return build


@pytest.fixture(scope="module")
def prefix(build):
    """Where only the client is installed."""
    run("cmake", "--install", build, "--prefix", PREFIX)
    return PREFIX


def assert_it_is_the_example(program, server):
    library_takes_care_of = ["gzip: UNIMPLEMENTED"]
    printed = run(program, server.grpc_address).replace("KEY_TOO_LARGE\n", "KEY_TOO_LARGE, limit 4096\n")
    assert_prints_what_examples_print("\n".join([*printed.splitlines(), *library_takes_care_of]) + "\n")
    assert not re.search("tbb|prometheus|microhttpd|nghttp2|spdlog", run("ldd", program))


def test_fetched(build, server):
    assert_it_is_the_example(build / "fetched_example", server)


def test_beside_another_copy_of_the_standard_messages(build, server):
    printed = run(build / "second_copy", server.grpc_address)
    assert printed.splitlines() == ["KEY_EMPTY", "1", "google.rpc.Status", "grpc.health.v1.HealthCheckRequest"]


def test_what_is_installed(prefix):
    installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert {"include/ferrite/client.h", "include/ferrite/near_cache.h", "include/ferrite/v1/cache.pb.h",
            "share/ferrite/proto/ferrite/v1/cache.proto"} <= installed
    folders = {path.split("/")[1] for path in installed if path.startswith("include/")}
    assert folders == {"ferrite"}, "other names might be somebody else's"
    assert not [path for path in installed if "internal" in path and path.endswith((".h", ".proto"))]
    for header in prefix.rglob("include/**/*.h"):
        assert not re.search(r'#include "(base|client|store|server)/', header.read_text(encoding="utf-8")), header


def test_found_by_cmake(prefix, server):
    build = SPACE / "found"
    run("cmake", "-G", "Ninja", "-S", EXAMPLE, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)
    assert_it_is_the_example(build / "example", server)


def test_found_by_pkg_config(prefix, server):
    need("pkg-config")
    (folder,) = {path.parent for path in prefix.rglob("ferrite-client.pc")}
    found = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
    flags = run("pkg-config", "--cflags", "--libs", "ferrite-client", env=found).split()
    program = SPACE / "example_by_pkg_config"
    run("g++", "-std=c++20", EXAMPLE / "main.cc", "-o", program, *flags)
    assert_it_is_the_example(program, server)


@pytest.mark.parametrize("options, targets", [
    (["-DFERRITE_SERVER=OFF"], {"ferrite_client"}),
    (["-DFERRITE_SERVER=OFF", "-DFERRITE_CLI=ON"], {"ferrite_client", "ferrite"}),
])
def test_a_build_of_the_client_alone(options, targets):
    build = SPACE / ("command" if len(options) > 1 else "alone")
    hidden = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ONLY_OF_THE_SERVER if len(options) == 1 or
              name not in ("CLI11", "nlohmann_json")]
    run("cmake", "-G", "Ninja", "-S", ROOT, "-B", build, *options, *hidden)
    known = set(re.findall(r"^(\w[\w-]*): phony$", run("ninja", "-C", build, "-t", "targets", "all"), re.MULTILINE))
    assert targets <= known
    assert "ferrite-server" not in known
    assert not [name for name in known if name.endswith("_test")]
