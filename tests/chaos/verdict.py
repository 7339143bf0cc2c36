"""What is wrong with a run, by what its clients tell (load.cc), beside broken promises."""

LIBRARY = "library"
# Before something happens, and when all has settled, so many calls are made each way at least, and answered but for this share.
LEAST_CALLS = 10
MOST_FAILED = 0.1


def complaints(outcome, hit, bound_s=None):
    """`hit`: the addresses of nodes whose own clients are promised nothing meanwhile. Everybody else must not be left without answers
    about a key for longer than `bound_s`, if that is given."""
    found = [f"broken promise: {violation}" for violation in outcome["violations"]]
    for way, seen in outcome["ways"].items():
        for phase in ("before", "after"):
            calls, answers = seen[phase]["calls"], seen[phase]["answers"]
            if calls < LEAST_CALLS or answers < (1 - MOST_FAILED) * calls:
                found.append(f"{phase} it, {answers} of {calls} calls by {way} were answered: too few")
    silence_s = longest_silence_s(outcome, hit)
    if bound_s is not None and silence_s > bound_s:
        found.append(f"somebody had no answer about a key for {silence_s:.1f} s; it may be {bound_s:g} s")
    return found


def longest_silence_s(outcome, hit):
    return max(seen["longest_silence_s"] for way, seen in outcome["ways"].items() if way not in hit)
