"""Draws groups of bars as SVG.

Standard input: {"groups": [name], "series": {label: [height per group]}}.

usage: bench/eviction/bars.py FILE
"""

import io
import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot  # it must know by now that there is no screen

COLOURS = ["#d1495b", "#00798c", "#66a182", "#edae49", "#c98b1b", "#2e4057", "#bbbbbb"]
SPACE_TAKEN = 0.85  # of what there is for a group


def draw(groups, series, path):
    figure, axes = pyplot.subplots(figsize=(max(8.0, 1.1 * len(groups) + 1.5), 4.5))
    width = SPACE_TAKEN / len(series)
    for index, (label, heights) in enumerate(series.items()):
        middle = (index - (len(series) - 1) / 2) * width
        axes.bar(
            [group + middle for group in range(len(groups))],
            heights,
            width,
            label=label,
            color=COLOURS[index % len(COLOURS)],
        )
    axes.set_xticks(range(len(groups)), groups, rotation=25)
    axes.set_ylabel("miss ratio (less is better)")
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(ncol=len(series), loc="upper center", bbox_to_anchor=(0.5, 1.12), frameon=False)
    figure.tight_layout()
    drawing = io.StringIO()
    # The same figures make the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ferrite"}):
        figure.savefig(drawing, format="svg", metadata={"Date": None})
    lines = [line.rstrip() for line in drawing.getvalue().splitlines()]
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    bars = json.load(sys.stdin)
    draw(bars["groups"], bars["series"], sys.argv[1])
