"""A progress bar, and tables for the terminal and for Markdown."""

import sys
import time


class Progress:
    """Counts steps on standard error: a bar on a terminal, otherwise a line per tenth."""

    def __init__(self, total):
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def step(self, label):
        self._done += 1
        left = (time.monotonic() - self._start) / self._done * (self._total - self._done)
        if self._is_terminal:
            filled = 30 * self._done // self._total
            bar = "#" * filled + "." * (30 - filled)
            print(
                f"\r\x1b[K[{bar}] {self._done}/{self._total}, {left:.0f} s left: {label}",
                end="",
                file=sys.stderr,
            )
            if self._done == self._total:
                print("\r\x1b[K", end="", file=sys.stderr)
            sys.stderr.flush()
        elif self._done * 10 // self._total > (self._done - 1) * 10 // self._total:
            print(
                f"{100 * self._done // self._total} % done, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )


def table(header, rows):
    """A Markdown table whose columns line up, so that it reads as well on a terminal."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
