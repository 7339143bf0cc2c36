"""Finds the examples of README.md.

A fenced block in one of the languages below is an example. A comment on the line above it says what happens to it:

    <!-- run: NAME -->                 test_readme.py runs it; NAME is snake_case and unique
    <!-- not run: REASON -->           nobody runs it

A ```text block that follows, with only blank lines in between, is what the example must print; a line `...` in it matches
any number of lines. `python3 readme_blocks.py --cpp FOLDER` writes the C++ examples to FOLDER/NAME.cc and prints their
names for CMake, which builds them.
"""

import pathlib
import re
import sys
from typing import NamedTuple, Optional

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
LANGUAGES = {"sh", "bash", "python", "js", "javascript", "cpp", "c++"}
RUNNABLE = {"sh", "python", "js", "cpp"}


class Block(NamedTuple):
    line: int  # of the opening fence, from 1
    language: str
    text: str
    name: Optional[str]  # of an example that is run
    reason: Optional[str]  # why an example is not run
    expected: Optional[str]  # what it must print, if the README says so


def _fences(lines):
    """(line number of the opening fence, language, text, line number of the closing fence)"""
    opened = None
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
        else:
            yield opened, lines[opened - 1][3:].strip(), "\n".join(lines[opened:number - 1]) + "\n", number
            opened = None
    if opened is not None:
        raise ValueError(f"README.md:{opened}: the block is never closed")


def _blank(lines, start, end):
    return not any(line.strip() for line in lines[start:end])


def parse(text):
    """The examples in a Markdown text, in order. Raises ValueError with the line of the first mistake."""
    lines = text.splitlines()
    fences = list(_fences(lines))
    blocks, names = [], set()
    for index, (opened, language, body, closed) in enumerate(fences):
        if language not in LANGUAGES:
            continue
        above = lines[opened - 2].strip() if opened > 1 else ""
        run = re.fullmatch(r"<!-- run: ([a-z0-9_]+) -->", above)
        not_run = re.fullmatch(r"<!-- not run: (.+) -->", above)
        if not run and not not_run:
            raise ValueError(f"README.md:{opened}: put <!-- run: NAME --> or <!-- not run: REASON --> on the line above")
        if run and language not in RUNNABLE:
            raise ValueError(f"README.md:{opened}: nobody knows how to run {language!r}; there is {sorted(RUNNABLE)}")
        if run and run[1] in names:
            raise ValueError(f"README.md:{opened}: there is already an example {run[1]!r}")
        if run:
            names.add(run[1])
        expected = None
        if index + 1 < len(fences) and fences[index + 1][1] == "text" and _blank(lines, closed, fences[index + 1][0] - 1):
            expected = fences[index + 1][2]
        blocks.append(Block(opened, language, body, run and run[1], not_run and not_run[1], expected))
    return blocks


def readme():
    return parse(README.read_text(encoding="utf-8"))


def matches(expected, printed):
    """Whether `printed` is what the README says, apart from blanks at the ends of lines."""
    pattern = ""
    for line in expected.strip().splitlines():
        pattern += r"(?:.*\n)*" if line.strip() == "..." else re.escape(line.rstrip()) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip() + "\n") is not None


def main():
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for block in readme():
        if block.name and block.language == "cpp":
            # The address of the server under test is known only when the program runs.
            source = re.sub(r'"(127\.0\.0\.1|localhost):6380"', 'std::getenv("FERRITE_SERVER")', block.text)
            target = folder / f"{block.name}.cc"
            source = f'#include <cstdlib>\n#line {block.line + 1} "README.md"\n{source}'
            if not target.exists() or target.read_text(encoding="utf-8") != source:
                target.write_text(source, encoding="utf-8")
            print(block.name)


if __name__ == "__main__":
    main()
