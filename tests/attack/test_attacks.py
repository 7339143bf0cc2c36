"""Each attack for a moment, beside an ordinary client. tests/attack/run has the long form, and figures."""

import measured_attack
import pytest

SECONDS = 2
# An honest client, and clients who have to wait for their turns, so on a slow machine none is too fast.
NOT_CUT = ("expiring_calls", "ended_streams", "rapid_resets", "rapid_resets_of_many")


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("name", [name for name in measured_attack.attacks() if name != "expiring_calls"])
def test_the_server_holds(name, over_tls):
    seen = measured_attack.run_attack(name, SECONDS, over_tls)
    if seen is None:
        pytest.skip("a sanitizer has recvmsg() to itself")
    assert seen["held"], seen["said"]
    if name not in NOT_CUT:
        assert seen["cut"], seen
    assert seen["peak_bytes"] <= seen["documented_bytes"], seen
    # How many of an ordinary client's calls, and how soon, is for tests/attack/run: it depends on the machine.
    assert seen["share_served"] > 0, seen


@pytest.mark.parametrize("over_tls", [False, True])
def test_an_honest_client_is_not_cut(over_tls):
    seen = measured_attack.run_attack("expiring_calls", SECONDS, over_tls)
    if seen is None:
        pytest.skip("a sanitizer has recvmsg() to itself")
    assert not seen["cut"], seen


def test_the_guard_can_be_turned_off():
    with measured_attack.ServerProcess("--frame-guard=off") as server:
        if server.sanitized():
            pytest.skip("a sanitizer has recvmsg() to itself")
        assert "frames are not counted" in server.log()
        assert "ferrite_connections_cut_total" not in measured_attack.scrape(server).types
