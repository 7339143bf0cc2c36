"""The command `ferrite` on a terminal: its prompt, what fits, and what Ctrl-C leaves behind."""

import os
import pathlib
import re
import signal
import stat
import termios

import pexpect
import pytest
from eventually import eventually
from ferrite.v1 import cache_pb2

FERRITE = str(pathlib.Path(os.environ["FERRITE_SERVER_BINARY"]).with_name("ferrite"))
CTRL_C = "\x03"
CTRL_D = "\x04"


@pytest.fixture
def terminal(server, tmp_path):
    """Starts `ferrite` with these arguments on a terminal of its own."""
    started = []

    def start(*arguments, columns=80, rows=24, **environment):
        env = {name: value for name, value in os.environ.items() if not name.startswith("FERRITE_")}
        env |= {"FERRITE_SERVER": server.grpc_address, "TERM": "xterm", "HOME": str(tmp_path)}
        env.pop("XDG_STATE_HOME", None)
        child = pexpect.spawn(
            FERRITE, list(arguments), dimensions=(rows, columns), env=env | environment, timeout=60
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def end_of(child):
    """What is printed until the end, and the exit code as a shell has it."""
    child.expect(pexpect.EOF)
    child.close()
    signaled = child.signalstatus
    return child.before.decode(), child.exitstatus if signaled is None else 128 + signaled


def prompt_of(server):
    return server.grpc_address + "> "


def test_the_prompt_runs_commands(server, terminal):
    child = terminal()
    child.expect_exact(prompt_of(server))
    child.send('set greeting "hello, world"\r')
    child.expect_exact("stored")
    child.expect_exact(prompt_of(server))
    child.send("get greeting\r")
    child.expect_exact("hello, world\r\n")
    child.expect_exact(prompt_of(server))
    child.send("gte greeting\r")
    child.expect_exact("did you mean get?")
    child.expect_exact(prompt_of(server))
    child.send(CTRL_D)
    assert end_of(child)[1] == 0


@pytest.mark.parametrize("word", ["exit", "quit"])
def test_the_prompt_ends_by_a_word(server, terminal, word):
    child = terminal("--timeout", "10s")
    child.expect_exact(prompt_of(server))
    child.send(word + "\r")
    assert end_of(child)[1] == 0


def test_the_prompt_remembers_what_was_typed(server, terminal, tmp_path):
    child = terminal()
    child.expect_exact(prompt_of(server))
    child.send("incr remembered\r")
    child.expect_exact("1\r\n")
    child.expect_exact(prompt_of(server))
    child.send(" incr secret\r")
    child.expect_exact("1\r\n")
    child.expect_exact(prompt_of(server))
    child.send(CTRL_D)
    end_of(child)
    history = tmp_path / ".local" / "state" / "ferrite" / "history"
    assert history.read_text() == "incr remembered\n"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700

    again = terminal()
    again.expect_exact(prompt_of(server))
    again.send("\x1b[A")  # the arrow up
    again.expect_exact("incr remembered")
    again.send("\r")
    again.expect_exact("2\r\n")


def test_history_lies_where_the_environment_says(server, terminal, tmp_path):
    state = tmp_path / "state"
    child = terminal(XDG_STATE_HOME=str(state))
    child.expect_exact(prompt_of(server))
    child.send("ping\r")
    child.expect_exact("is serving")
    child.expect_exact(prompt_of(server))
    assert (state / "ferrite" / "history").read_text() == "ping\n"


def test_the_prompt_completes_words(server, terminal, tmp_path):
    child = terminal(XDG_STATE_HOME=str(tmp_path))
    child.expect_exact(prompt_of(server))
    child.send("slo\t")
    child.expect_exact("wlog ")  # the editor prints only what is new
    child.send("--lim\t")
    child.expect_exact("it ")
    child.send("1\r")
    child.expect_exact(prompt_of(server))
    assert (tmp_path / "ferrite" / "history").read_text() == "slowlog --limit 1\n"
    child.send("s\t")
    child.expect_exact("scan")
    child.expect_exact("subscribe")


def test_ctrl_c_drops_a_line_and_ends_an_empty_prompt(server, terminal):
    child = terminal()
    before = termios.tcgetattr(child.child_fd)[3]
    child.expect_exact(prompt_of(server))
    child.send("set half a")
    child.expect_exact("set half a")
    child.send(CTRL_C)
    child.expect_exact(prompt_of(server))
    child.send("get half\r")
    child.expect_exact("half is not there")
    child.expect_exact(prompt_of(server))
    child.send(CTRL_C)
    child.expect(pexpect.EOF)
    assert termios.tcgetattr(child.child_fd)[3] == before, "the terminal is as it was"
    child.close()
    assert child.signalstatus == signal.SIGINT


def test_ctrl_c_ends_a_command_and_returns_to_the_prompt(server, terminal):
    child = terminal()
    child.expect_exact(prompt_of(server))
    child.send("top --interval 100ms\r")
    child.expect_exact("calls/s")
    child.send(CTRL_C)
    child.expect_exact(prompt_of(server))
    child.send("ping\r")
    child.expect_exact("is serving")


@pytest.mark.parametrize(
    "arguments", [["top"], ["watch", ""], ["subscribe", "c"], ["slowlog", "--follow"]]
)
def test_ctrl_c_is_130(terminal, arguments):
    child = terminal(*arguments)
    if arguments[0] in ("top", "slowlog"):
        child.expect(r"\w")
    else:
        child.expect(pexpect.TIMEOUT, timeout=0.5)  # these print nothing until something happens
    child.send(CTRL_C)
    assert end_of(child)[1] == 130


def test_load_writes_what_it_has_and_ctrl_c_ends_it_with_a_summary(client, terminal):
    child = terminal("load", "--format", "csv")
    child.send("typed,1\r")
    typed = cache_pb2.GetRequest(key=b"typed")
    eventually(lambda: client.Get(typed).found, bool, "the line was not written")
    child.send(CTRL_C)
    screen, code = end_of(child)
    assert "loaded 1 entry" in screen
    assert code == 130


@pytest.mark.parametrize("columns", [40, 60, 80, 95, 200])
def test_top_fits(client, terminal, columns):
    client.Get(cache_pb2.GetRequest(key=b"k"))
    child = terminal("top", "--count", "2", "--interval", "200ms", columns=columns)
    screen, code = end_of(child)
    assert code == 0
    lines = screen.replace("\x1b[2J", "").replace("\x1b[H", "").replace("\x1b[K", "").split("\r\n")
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("Stats ") for line in lines)
    assert "calls/s" in screen
    assert ("p50" in screen) == (columns >= 60)


def test_top_is_no_taller_than_the_terminal(terminal):
    child = terminal("top", "--count", "1", "--interval", "100ms", rows=6)
    screen, _ = end_of(child)
    assert screen.count("\n") <= 6


def test_stats_fits_a_terminal(client, terminal):
    client.Get(cache_pb2.GetRequest(key=b"k"))
    screen, code = end_of(terminal("stats", "--all"))
    assert code == 0
    assert max(map(len, screen.split("\r\n"))) <= 80
    for service in ("ferrite.v1.CacheService", "ferrite.v1.AdminService", "grpc.health.v1.Health"):
        assert service in screen


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["help", "bench"],
        ["help", "load"],
        ["config"],
        ["slowlog"],
        ["bench", "--op", "mixed", "--count", "10", "--keys", "10", "--warmup", "0s"],
    ],
    ids=" ".join,
)
def test_tables_fit_a_terminal(server, client, terminal, command):
    end_of(terminal("config", "set", "slowlog-threshold", "0s"))
    client.Get(cache_pb2.GetRequest(key=b"k" * 100))
    screen, code = end_of(terminal(*command))
    end_of(terminal("config", "set", "slowlog-threshold", "10ms"))
    assert code == 0
    rows = re.sub("\x1b\\[.", "", screen).split("\r\n")
    prose = ("unary mixed in", "\r")  # the sentence about a bench goes on in the next row
    assert [row for row in rows if len(row) > 80 and not row.startswith(prose)] == []


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_line_of_progress_takes_one_row(terminal, tmp_path, columns):
    entries = tmp_path / "entries.csv"
    entries.write_text("".join(f"key:{i},value\n" for i in range(400_000)))
    screen, code = end_of(terminal("load", str(entries), columns=columns))
    assert code == 0
    shown = [line for line in screen.split("\r\x1b[K") if line.startswith("Loading")]
    assert shown and max(map(len, shown)) < columns


@pytest.mark.parametrize(
    "environment, colored",
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"TERM": ""}, False)],
)
def test_colors_are_the_terminals_and_the_users_choice(client, terminal, environment, colored):
    child = terminal("watch", "colored", "--count", "1", **environment)
    while not child.expect([r"colored", pexpect.TIMEOUT], timeout=0.2) == 0:
        client.Set(cache_pb2.SetRequest(key=b"colored", value=b"v"))
    screen, code = end_of(child)
    assert code == 0
    assert ("\x1b[" in child.before.decode() + screen) == colored


def test_an_odd_key_cannot_play_with_the_terminal(client, terminal):
    client.Set(cache_pb2.SetRequest(key=b"odd\x1b[2J\n", value=b"\x1b]0;title\x07"))
    screen, _ = end_of(terminal("scan", "odd", "--values"))
    assert screen == "odd\\x1b[2J\\n: \\x1b]0;title\\x07\r\n"


def test_without_a_terminal_there_is_help_instead_of_a_prompt(terminal):
    child = pexpect.spawn("/bin/sh", ["-c", f"{FERRITE} < /dev/null; echo code $?"], timeout=60)
    child.expect_exact("Usage: ferrite")
    child.expect_exact("code 2")
