"""Small pictures for bench/results, drawn with Debian's python3-matplotlib."""

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # it must know by now that there is no screen

OURS = "#00798c"
OTHERS = ("#d1495b", "#edae49", "#66a182", "#2e4057", "#bbbbbb")


def axes(width, height):
    """An empty picture of this size in inches."""
    figure, empty = pyplot.subplots(figsize=(width, height))
    empty.grid(alpha=0.3)
    empty.set_axisbelow(True)
    return figure, empty


def save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)
