"""Each attack for a moment, beside an ordinary client. tests/attack/run has the long form, and figures."""

import measured_attack
import pytest

SECONDS = 2
# An honest client, and what gRPC ends by itself.
NOT_FOR_THE_GUARD = ("expiring_calls", "ended_streams")


@pytest.mark.parametrize("name", measured_attack.attacks())
def test_the_server_holds(name):
    seen = measured_attack.run_attack(name, SECONDS)
    if seen is None:
        pytest.skip("a sanitizer has recvmsg() to itself")
    assert seen["held"], seen["said"]
    assert bool(seen["cut"]) == (name not in NOT_FOR_THE_GUARD), seen
    assert seen["peak_bytes"] <= seen["documented_bytes"], seen
    assert seen["share_served"] >= 0.95, seen


def test_the_guard_can_be_turned_off():
    with measured_attack.ServerProcess("--frame-guard=off") as server:
        if server.sanitized():
            pytest.skip("a sanitizer has recvmsg() to itself")
        assert "frames are not counted" in server.log()
        assert "ferrite_connections_cut_total" not in measured_attack.scrape(server).types
