"""Each attack for a moment, beside an ordinary client. tests/attack/run has the long form, and figures."""

import measured_attack
import pytest

SECONDS = 2
# An honest client, and what gRPC ends by itself.
NOT_FOR_THE_GUARD = ("expiring_calls", "ended_streams")
# What gRPC takes for it has no bound yet, and hangs on the machine: from 62 to 560 MiB were seen.
NOT_BOUNDED = ("ended_streams",)


@pytest.mark.parametrize("name", measured_attack.attacks())
def test_the_server_holds(name):
    seen = measured_attack.run_attack(name, SECONDS)
    if seen is None:
        pytest.skip("a sanitizer has recvmsg() to itself")
    assert seen["held"], seen["said"]
    assert bool(seen["cut"]) == (name not in NOT_FOR_THE_GUARD), seen
    if name not in NOT_BOUNDED:
        assert seen["peak_bytes"] <= seen["documented_bytes"], seen
    # How many of an ordinary client's calls, and how soon, is for tests/attack/run: it depends on the machine.
    assert seen["share_served"] > 0, seen


def test_the_guard_can_be_turned_off():
    with measured_attack.ServerProcess("--frame-guard=off") as server:
        if server.sanitized():
            pytest.skip("a sanitizer has recvmsg() to itself")
        assert "frames are not counted" in server.log()
        assert "ferrite_connections_cut_total" not in measured_attack.scrape(server).types
