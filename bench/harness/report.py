"""Keeps what was measured: figures as JSON, tables as Markdown, ratios as lines for a script."""

import json
import statistics
import sys


def median_ratio(numerators, denominators):
    """The median of the ratios round by round: what slows both for a while cancels out."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def save(directory, name, figures, markdown):
    """Writes NAME.json and NAME.md."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (directory / f"{name}.md").write_text(markdown.rstrip() + "\n", encoding="utf-8")
    print(f"kept in {directory / name}.md", file=sys.stderr)


def ratio_lines(ratios):
    """The ratios for a Markdown file, indented to show as they are."""
    return "\n".join(f"    ratio {name} {value:.3f}" for name, value in ratios.items())


def print_ratios(ratios):
    """Prints the last lines of a benchmark: `ratio NAME VALUE`."""
    for name, value in ratios.items():
        print(f"ratio {name} {value:.3f}")
