"""Each attack for a moment, beside an ordinary client. tests/attack/run has the long form, and figures."""

import measured_attack
import pytest

SECONDS = 1
# What the guard cuts connections for. Those of the other attacks wait for their turns, or are told to come again.
CUT_FOR = {
    "continuation": "header_bytes",
    "empty_data": "empty_data",
    "open_streams": "streams",
    "pings": "pings",
    "settings": "settings",
    "unfinished_messages": "unfinished_bytes",
    "idle_calls": "unfinished_bytes",
}
HONEST = "expiring_calls"
# What gRPC keeps of answers that nobody reads, and of calls before they are counted, exceeds the plan, so many times at most
# (docs/floods.md).
BEYOND_PLAN = {"unread_refusals": 2, "slow_readers": 2, "storm": 2, "idle_calls": 2}
# Floods of frames, which the guard sees over TLS as well.
OVER_TLS = [*(name for name in CUT_FOR if name != "idle_calls"), HONEST, "ended_streams", "rapid_resets"]


@pytest.mark.parametrize(
    ("name", "over_tls"), [*((name, False) for name in measured_attack.attacks()), *((name, True) for name in OVER_TLS)]
)
def test_the_server_holds(name, over_tls):
    seen = measured_attack.run_attack(name, SECONDS, over_tls)
    if seen is None:
        pytest.skip("a sanitizer has recvmsg() to itself")
    assert seen["held"], seen["said"]
    assert seen["peak_bytes"] <= BEYOND_PLAN.get(name, 1) * seen["documented_bytes"], seen
    # How many of an ordinary client's calls, and how soon, is for tests/attack/run: it depends on the machine.
    assert seen["share_served"] > 0, seen
    if name in CUT_FOR:
        assert CUT_FOR[name] in seen["cut"], seen
    if name == HONEST:
        assert not seen["cut"], seen


def test_the_guard_can_be_turned_off():
    with measured_attack.ServerProcess("--frame-guard=off") as server:
        if server.sanitized():
            pytest.skip("a sanitizer has recvmsg() to itself")
        assert "frames are not counted" in server.log()
        assert "ferrite_connections_cut_total" not in measured_attack.scrape(server).types
