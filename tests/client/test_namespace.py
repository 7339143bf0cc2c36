"""The command `ferrite` and the library in a namespace."""

import hashlib
import json
import os
import pathlib
import subprocess

import pytest
from policy import token
from server_process import HANG_S, ServerProcess

FERRITE = str(pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name("ferrite"))


@pytest.fixture(name="server", scope="module")
def made_server(tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    digest = hashlib.sha256(token("root").encode()).hexdigest()
    verbs = "[read, write, delete, scan, publish, subscribe, admin]"
    file.write_text(
        f"""
roles: [{{name: all, namespaces: ["*"], key_prefixes: [""], channel_prefixes: [""], verbs: {verbs}}}]
bindings: [{{principal: "token:root", roles: [all]}}]
tokens: [{{name: root, sha256: "{digest}"}}]
namespaces: [{{name: shop, memory: 32MiB}}]
""",
        encoding="utf-8",
    )
    with ServerProcess(f"--policy={file}", "--max-memory=256MiB", "--slowlog-threshold=0") as process:
        yield process


def run(server, *arguments, env=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
    command = [FERRITE, "--server", server.grpc_address, "--token", token("root"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False, env=clean | (env or {}))


def test_the_option_and_the_variable_name_the_namespace(server):
    assert run(server, "--namespace", "shop", "set", "k", "of shop").returncode == 0
    assert run(server, "set", "k", "of default").returncode == 0
    assert run(server, "--namespace=shop", "get", "k").stdout.strip() == "of shop"
    assert run(server, "get", "k", env={"FERRITE_NAMESPACE": "shop"}).stdout.strip() == "of shop"
    assert run(server, "--namespace", "default", "get", "k", env={"FERRITE_NAMESPACE": "shop"}).stdout.strip() == "of default"
    assert json.loads(run(server, "--json", "--namespace", "shop", "stats").stdout)["entries"] in (1, "1")
    assert "k" in run(server, "--namespace", "shop", "scan").stdout


def test_loads_and_floods_stay_in_it(server):
    # Through the library, which batches, and through streams of its own.
    for mode in ("auto", "pipeline", "unary"):
        options = ("--mode", mode, "--keys", "100", "--count", "200", "--warmup", "0s", "--connections", "2")
        done = run(server, "--namespace", "shop", "bench", *options)
        assert done.returncode == 0, done.stderr
    assert json.loads(run(server, "--json", "stats").stdout)["entries"] in (1, "1")
    flushed = run(server, "--namespace", "shop", "flush", "--yes")
    assert flushed.returncode == 0, flushed.stderr
    assert run(server, "get", "k").stdout.strip() == "of default"


def test_what_there_is_not_is_an_error(server):
    done = run(server, "--namespace", "none", "get", "k")
    assert done.returncode == 2 and "namespace" in done.stderr
    done = run(server, "--namespace", "No\n", "get", "k")
    assert done.returncode == 2 and "--namespace" in done.stderr


def test_the_slow_log_and_whoami_name_it(server):
    assert run(server, "--namespace", "shop", "get", "k").returncode in (0, 1)
    assert "namespace shop" in run(server, "--namespace", "shop", "slowlog").stdout
    assert '"namespace":"shop"' in run(server, "--json", "slowlog").stdout.replace(" ", "")
    assert "namespace   shop" in run(server, "--namespace", "shop", "auth", "whoami").stdout
    assert "namespace" not in run(server, "auth", "whoami").stdout
