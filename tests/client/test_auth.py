"""Tokens of the command `ferrite`, and what it tells of rights."""

import json
import os
import pathlib
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from eventually import eventually
from policy import policy, replace, token
from server_process import HANG_S, ServerProcess

FERRITE = str(pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name("ferrite"))
VERBS = ["read", "write", "delete", "scan", "subscribe"]
ROLES = {
    "own": {"key_prefixes": ["own:"], "keys": ["motd"], "verbs": VERBS},
    "news": {"channels": ["news"], "verbs": ["publish", "subscribe"]},
    "all": {"key_prefixes": [""], "channel_prefixes": [""], "verbs": [*VERBS, "publish", "admin"]},
}
BINDINGS = {"token:shop": ["own", "news"], "token:root": ["all"]}


@pytest.fixture(name="server", scope="module")
def made_server(tmp_path_factory):
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    with ServerProcess(f"--policy={file}") as process:
        yield process


def run(server, *arguments, env=None, **options):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
    return subprocess.run(
        [FERRITE, f"--server={server.grpc_address}", *map(str, arguments)],
        capture_output=True, text=True, timeout=HANG_S, check=False, env=clean | (env or {}), **options,
    )


def as_shop(server, *arguments):
    return run(server, *arguments, env={"FERRITE_TOKEN": token("shop")})


def test_the_ways_to_name_a_token(server, tmp_path):
    file = tmp_path / "token"
    file.write_text(token("shop") + "\n", encoding="ascii")
    wrong = {"FERRITE_TOKEN": "wrong"}
    for arguments, env in [
        (("--token", token("shop")), {}),
        (("--token-file", file), {}),
        ((), {"FERRITE_TOKEN": token("shop")}),
        ((), {"FERRITE_TOKEN_FILE": str(file)}),
        # What is on the command line goes before the environment.
        (("--token", token("shop")), wrong),
        (("--token-file", file), wrong),
    ]:
        done = run(server, *arguments, "set", "own:k", "v", env=env)
        assert (done.returncode, done.stdout) == (0, "stored\n"), f"{arguments}: {done.stderr}"


def test_tokens_that_are_none(server, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n", encoding="ascii")
    large = tmp_path / "large"
    large.write_text("x" * 65536, encoding="ascii")
    for arguments, env, complaint in [
        (("--token", "two words"), {}, "--token: a token has"),
        (("--token-file", tmp_path / "none"), {}, "none: the file cannot be read"),
        (("--token-file", empty), {}, "empty: a token has 1 to"),
        (("--token-file", large), {}, "large: a token has 1 to"),
        (("--token", "a", "--token-file", empty), {}, "excludes"),
        ((), {"FERRITE_TOKEN": "a", "FERRITE_TOKEN_FILE": str(empty)}, "are both set"),
        (("--token", "stranger"), {}, "none that this server knows"),
        ((), {}, "this needs a credential"),
    ]:
        done = run(server, *arguments, "get", "own:k", env=env)
        assert done.returncode == 2 and complaint in done.stderr, f"{arguments}: {done.stderr}"
    assert "ferrite auth whoami" in run(server, "get", "own:k").stderr
    assert "ferrite auth explain" in as_shop(server, "get", "secret").stderr


@pytest.mark.parametrize(
    "command",
    [
        ("ping",),
        ("info",),
        ("stats",),
        ("top", "--count", "1", "--interval", "100ms"),
        ("slowlog",),
        ("config",),
        ("cluster", "status"),
        ("set", "k", "v"),
        ("mset", "a", "1", "b", "2"),
        ("scan",),
        ("publish", "news", "m"),
        ("flush", "--yes"),
        ("bench", "--count", "10", "--keys", "10", "--warmup", "0s"),
        ("bench", "--mode", "auto", "--count", "10", "--keys", "10", "--warmup", "0s"),
        ("bench", "--mode", "pipeline", "--count", "10", "--keys", "10", "--warmup", "0s"),
    ],
)
def test_every_command_shows_the_token(server, command):
    done = run(server, "--token", token("root"), *command)
    assert done.returncode == 0, done.stderr
    if command != ("ping",):
        assert run(server, *command).returncode == 2


def test_whoami(server):
    done = as_shop(server, "auth", "whoami")
    assert done.stdout == "principal   token:shop\ncredential  token\nroles       own, news\n"
    who = json.loads(as_shop(server, "auth", "whoami", "--json").stdout)
    assert who == {
        "principal": "token:shop", "credential": "token", "roles": ["own", "news"], "has_policy": True,
    }
    assert "anonymous" in run(server, "auth", "whoami").stdout
    with ServerProcess() as open_server:
        assert "the server has no policy" in run(open_server, "auth", "whoami").stdout


def test_can_and_explain(server):
    for words, answer, code in [
        (("can", "read", "own:1"), "yes\n", 0),
        (("can", "read", "secret"), "no\n", 1),
        (("can", "scan", "own:", "--prefix"), "yes\n", 0),
        (("can", "scan", "", "--prefix"), "no\n", 1),
        (("can", "publish", "news"), "yes\n", 0),
        (("can", "subscribe", "news", "--channel"), "yes\n", 0),
        (("can", "subscribe", "news"), "no\n", 1),
        (("can", "admin"), "no\n", 1),
        (("explain", "read", "own:1"), "yes\nrole own: all that begin with own:\n", 0),
        (("explain", "read", "motd"), "yes\nrole own: motd\n", 0),
        (("explain", "publish", "secret"), "no\nno role of token:shop allows it\n", 1),
    ]:
        done = as_shop(server, "auth", *words)
        assert (done.stdout, done.returncode) == (answer, code), f"{words}: {done.stderr}"
    other = ("auth", "can", "read", "own:1", "--principal", "token:root")
    assert as_shop(server, *other).returncode == 2
    assert run(server, "--token", token("root"), *other).stdout == "yes\n"
    told = json.loads(as_shop(server, "auth", "explain", "read", "motd", "--json").stdout)
    assert told["grants"] == [{"role": "own", "name": "motd", "is_prefix": False}]
    for words in [("can",), ("can", "fly", "k"), ("whoami", "read"), ("can", "read"), ("be",)]:
        assert as_shop(server, "auth", *words).returncode == 2, words


def test_issue(tmp_path):
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "policy.yaml").write_text(policy(ROLES, BINDINGS), encoding="utf-8")
    (tmp_path / "token.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with ServerProcess(f"--policy={tmp_path}/policy.yaml", f"--token-key={tmp_path}/token.key") as server:
        done = as_shop(server, "auth", "issue", "--verb", "read,scan", "--key-prefix", "own:a", "--ttl", "1m")
        assert done.returncode == 0, done.stderr
        env = {"FERRITE_TOKEN": done.stdout.strip()}
        assert "credential  disposable" in run(server, "auth", "whoami", env=env).stdout
        assert run(server, "auth", "can", "read", "own:a1", env=env).stdout == "yes\n"
        assert run(server, "auth", "can", "write", "own:a1", env=env).stdout == "no\n"
        assert run(server, "auth", "issue", "--verb=read", "--key-prefix=own:a", env=env).returncode == 2
        news = as_shop(server, "auth", "issue", "--verb=publish", "--channel-name=news", "--json")
        env = {"FERRITE_TOKEN": json.loads(news.stdout)["token"]}
        assert run(server, "publish", "news", "hello", env=env).returncode == 0
        for words in [
            ("issue",),
            ("issue", "--verb=read"),
            ("issue", "--key-prefix=own:"),
            ("issue", "read", "--verb=read", "--key-prefix=own:"),
            ("issue", "--verb=read", "--key-prefix=secret:"),
            ("issue", "--verb=read", "--key-prefix=own:", "--ttl=2h"),
            ("can", "read", "own:1", "--ttl=1m"),
        ]:
            assert as_shop(server, "auth", *words).returncode == 2, words


def test_a_token_that_is_renewed_while_a_command_runs(tmp_path):
    """Its file changes, and the old one is none any more; the command goes on with its connection."""
    file = tmp_path / "policy.yaml"
    secret = tmp_path / "token"
    roles = {**ROLES, "next": {"key_prefixes": ["next:"], "verbs": ["read"]}}
    file.write_text(policy(roles, BINDINGS), encoding="utf-8")
    replace(secret, token("shop"))
    with ServerProcess(f"--policy={file}") as server:
        command = [FERRITE, f"--server={server.grpc_address}", f"--token-file={secret}", "-"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, text=True, **pipes) as shell:

            def ask(words):
                shell.stdin.write(f"{words}\n")
                shell.stdin.flush()
                return shell.stdout.readline()

            assert ask("auth can read own:k") == "yes\n"
            replace(file, policy(roles, {"token:successor": ["own", "next"]}))
            replace(secret, token("successor"))
            # While either of the two has not been read again, the token is none, or an older one.
            eventually(lambda: ask("auth can read next:k"), lambda told: told == "yes\n", "it was not renewed")
            shell.stdin.close()
