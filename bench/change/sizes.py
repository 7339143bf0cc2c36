"""Sizes of the source, before and after."""

import itertools
import pathlib
import re

from harness import build, terminal

TITLE = "Sizes"
TARGETS = ()

# {ratio: what is counted}
COUNTED = {
    "engine_lines": "lines of C++ in server/engine",
    "architecture_words": "words of ARCHITECTURE.md",
    "folders_including_each_other": "pairs of folders of server/ that include each other",
    "folder_cycles": "such pairs if includes by way of other folders count too",
}


def add_arguments(parser):
    del parser  # all of its options belong to the whole benchmark


def _sources(folder):
    return [path for path in sorted(folder.rglob("*")) if path.suffix in (".cc", ".h")]


def _lines(folder):
    return sum(path.read_text(encoding="utf-8").count("\n") for path in _sources(folder))


def _words(path):
    return len(path.read_text(encoding="utf-8").split())


def _folder_of(path):
    """`server/call/status.h` lies in "call"; `server/node.h` and others at the top lie in ""."""
    parts = pathlib.PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 else ""


def included_folders(tree):
    """{folder of server/: folders of server/ whose headers its files include}"""
    found = {}
    for path in _sources(tree / "server"):
        folder = _folder_of(path.relative_to(tree))
        includes = re.findall(
            r'^\s*#\s*include\s+"(server/[^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE
        )
        found.setdefault(folder, set()).update(set(map(_folder_of, includes)) - {folder})
    return found


def _reachable(edges, start):
    seen, left = set(), [start]
    while left:
        for folder in edges.get(left.pop(), ()):
            if folder not in seen:
                seen.add(folder)
                left.append(folder)
    return seen


def cycles(edges):
    """Pairs of folders that include each other, directly or by way of others."""
    reachable = {folder: _reachable(edges, folder) for folder in edges}
    return [
        (one, other)
        for one, other in itertools.combinations(sorted(edges), 2)
        if other in reachable[one] and one in reachable[other]
    ]


def _sizes(tree):
    edges = included_folders(tree)
    pairs = cycles(edges)
    direct = [(one, other) for one, other in pairs if other in edges[one] and one in edges[other]]
    return {
        "engine_lines": _lines(tree / "server" / "engine"),
        "architecture_words": _words(tree / "ARCHITECTURE.md"),
        "folders_including_each_other": len(direct),
        "folder_cycles": len(pairs),
        "direct": direct,
    }


def measure(build_dir, arguments):
    del build_dir
    return {"before": _sizes(arguments.before_tree), "now": _sizes(build.ROOT)}


def ratios(figures):
    found = {}
    for name in COUNTED:
        found[f"{name}_before"] = figures["before"][name]
        found[name] = figures["now"][name]
    return found


def _named(pairs):
    return ", ".join("-".join(folder or "(top)" for folder in pair) for pair in pairs)


def markdown(figures):
    rows = [
        [label, *(f"{figures[who][name]:,}" for who in ("before", "now"))]
        for name, label in COUNTED.items()
    ]
    text = f"""Files directly in server/ count as a folder, called (top) here.

{terminal.table(["what", "before", "now"], rows)}"""
    for who in ("before", "now"):
        if figures[who]["direct"]:
            text += f"\n\nFolders that include each other, {who}: {_named(figures[who]['direct'])}."
    return text
