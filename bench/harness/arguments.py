"""The command line of a benchmark, and where its results go."""

import argparse
import pathlib
import shlex

from harness import build

PUBLISHED = build.ROOT / "bench" / "results"
# Options that change nothing about what is measured, or that no published command line may hold
# because they are paths of one machine.
_AROUND = ("help", "build_dir", "results", "no_build", "only", "before", "before_tree")


def parser(description):
    """One with the arguments that every benchmark takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "build_dir", nargs="?", type=pathlib.Path, default=build.ROOT / "build" / "release"
    )
    made.add_argument(
        "--results",
        type=pathlib.Path,
        help="where the figures are kept; by default bench/results or, if BUILD_DIR or any option "
        "changes what is measured, BUILD_DIR/bench-results",
    )
    made.add_argument("--no-build", action="store_true", help="run what is there")
    return made


def parse(made):
    """What was given, with `build_dir` and `results` as absolute paths, and in `changes` the
    options that change what is measured, as they are typed.

    Nobody's trial replaces what is published: that is what the command alone repeats.
    """
    given = made.parse_args()
    given.build_dir = given.build_dir.resolve()
    given.changes = _changes(made, given)
    if given.results is None:
        is_trial = given.changes or given.build_dir != made.get_default("build_dir")
        given.results = given.build_dir / "bench-results" if is_trial else PUBLISHED
    given.results = given.results.resolve()
    return given


def repeating(command, given):
    """The command line that repeats what was measured."""
    return " ".join([command, *given.changes])


def _changes(made, given):
    words = []
    for action in made._actions:  # pylint: disable=protected-access
        value = getattr(given, action.dest, None)
        if action.dest in _AROUND or value == action.default:
            continue
        words.append(action.option_strings[0])
        if isinstance(value, list):
            words.append(shlex.quote(",".join(map(str, value))))
        elif action.nargs != 0:  # it takes a value
            words.append(shlex.quote(str(value)))
    return words
