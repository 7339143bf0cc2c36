"""The script `dev`, run as a newcomer would run it. Everything is already built, so nothing is compiled here."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANG_S = 120


def dev(*arguments, **options):
    return subprocess.run([ROOT / "dev", *arguments], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=HANG_S, check=False, **options)


def shell(script, root=ROOT, **options):
    """Runs bash code that can use the functions of dev.d/."""
    prelude = 'set -euo pipefail; die() { echo "dev: $*" >&2; exit 1; }; for part in dev.d/*.sh; do . "$part"; done; '
    return subprocess.run(["bash", "-c", prelude + script], cwd=root, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=HANG_S, check=False, **options)


def test_run_starts_the_server_and_the_commands_that_it_suggests_work():
    command = ["setpriv", "--pdeathsig", "KILL", "--", ROOT / "dev", "run", "--", "--listen=127.0.0.1:0",
               "--http-listen=127.0.0.1:0"]
    with subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as server:
        commands = []
        for line in server.stdout:
            if line.startswith("  "):
                commands.append(line.strip())
            if line.startswith("From any language"):
                break
        assert len(commands) >= 4, commands
        for typed in commands:
            done = subprocess.run(["bash", "-c", typed], cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, check=False)
            assert done.returncode == 0, f"{typed}\n{done.stdout}{done.stderr}"
        server.terminate()
        assert server.wait(timeout=HANG_S) == 0


def test_cluster_starts_nodes_and_the_commands_that_it_suggests_work_and_ends_them():
    command = ["setpriv", "--pdeathsig", "TERM", "--", ROOT / "dev", "cluster", "2", "0"]
    with subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as cluster:
        lines, commands = [], []
        for line in cluster.stdout:
            lines.append(line)
            if line.startswith("  "):
                commands.append(line.strip())
            if line.startswith("Any node answers"):
                break
        assert any(line.startswith("All slots have an owner") for line in lines), lines
        for typed in commands:
            if " cluster watch" not in typed:  # which goes on
                done = subprocess.run(["bash", "-c", typed], cwd=ROOT, capture_output=True, text=True, timeout=HANG_S, check=False)
                assert done.returncode == 0, f"{typed}\n{done.stdout}{done.stderr}"
        cluster.terminate()
        ended = cluster.stdout.read()
        assert "Ending the cluster" in ended
    folder = re.search(r"The logs are in (\S+)\.$", "".join(lines), re.MULTILINE)[1]
    assert not pathlib.Path(folder).exists()
    # The command lines of etcd and of all nodes have its address.
    etcd = re.search(r"^etcd serves on (\S+)$", "".join(lines), re.MULTILINE)[1]
    assert subprocess.run(["pgrep", "-f", etcd], capture_output=True, check=False).stdout == b""


def test_help_names_every_command():
    done = dev("help")
    assert done.returncode == 0
    assert set(re.findall(r"^\./dev (\w+)", done.stdout, re.MULTILINE)) >= {
        "run", "test", "check", "build", "bench", "lint", "format", "help"}
    assert dev().stdout == done.stdout


@pytest.mark.parametrize("arguments, code, complaint", [
    (["fly"], 2, 'no command "fly"'),
    (["bench", "nothing"], 1, 'no benchmark "nothing"'),
    (["lint", "nothing"], 1, 'no check "nothing"'),
    (["check", "nothing"], 1, 'no check "nothing"'),
])
def test_mistakes_are_reported(arguments, code, complaint):
    done = dev(*arguments)
    assert done.returncode == code
    assert complaint in done.stderr


def test_a_check_is_repeated_only_when_what_it_looks_at_has_changed(tmp_path):
    script = """
    cp -r dev.d "$CLONE" && cd "$CLONE" && git init -q && mkdir proto store && echo one >proto/a && echo one >store/a
    check_proto() { echo "looked at $(cat proto/a)"; [[ $(cat proto/a) != bad ]]; }
    run_checks proto; echo two >store/a; run_checks proto; echo two >proto/a; run_checks proto
    echo bad >proto/a; (run_checks proto) || (run_checks proto) || echo failed twice
    """
    done = shell(script, env={**os.environ, "CLONE": str(tmp_path)})
    assert done.stdout.splitlines() == [
        "== proto", "looked at one", "== proto: nothing has changed since it passed", "== proto", "looked at two",
        "== proto", "looked at bad", "== proto", "looked at bad", "failed twice"], done.stdout + done.stderr


@pytest.mark.parametrize("check", ["format", "shell"])
def test_a_check_of_all_files_looks_at_every_folder(check, tmp_path):
    script = f"""
    cp -r dev.d "$CLONE" && cd "$CLONE" && git init -q && mkdir bench deploy && before=$(inputs_of {check})
    for file in bench/new.cc deploy/new.sh .clang-format; do
      echo new >$file; after=$(inputs_of {check}); [[ $after != "$before" ]] || echo "$file is overlooked"; before=$after
    done
    """
    done = shell(script, env={**os.environ, "CLONE": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_only_missing_packages_are_found(tmp_path):
    packages = tmp_path / "packages.txt"
    packages.write_text("# a comment\nbash  # is there\nferrite-no-such-package\n\nferrite-neither bash\n"
                        "ferrite-nor ferrite-no-such-command\n", encoding="utf-8")
    done = shell(f"missing_packages {packages}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["ferrite-no-such-package", "ferrite-nor"]


def test_a_package_that_another_provides_is_not_missing(tmp_path):
    packages = tmp_path / "packages.txt"
    packages.write_text("c++-compiler\n", encoding="utf-8")  # virtual; g++ provides it
    assert shell(f"missing_packages {packages}").stdout == ""


def test_every_packages_file_is_satisfied_after_dev_test():
    done = shell("missing_packages dev.d/packages/build.txt tests/*/packages.txt")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become somebody who is not root")
def test_without_root_and_sudo_it_prints_the_command_to_run():
    # Not in pytest's own directory, which other users may not enter.
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        root.chmod(0o755)
        shutil.copytree(ROOT / "dev.d", root / "dev.d")
        (root / "packages.txt").write_text("ferrite-no-such-package\n", encoding="utf-8")
        programs = root / "bin"
        programs.mkdir()
        for program in ("bash", "dpkg-query", "sed", "sort"):
            (programs / program).symlink_to(f"/usr/bin/{program}")
        done = shell(f"PATH={programs}; install_packages packages.txt", root=root, user=65534, group=65534, extra_groups=[])
    assert done.returncode == 1
    assert "As root, run: apt-get install" in done.stderr and "ferrite-no-such-package" in done.stderr
