"""Tables of text: aligned, as wide as a terminal, and with colours for what is well and what is not.

One rule: the first column, which names a row, is never cut.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from rollbook.cli.terminal import PLAIN, RED, YELLOW

CELL_LENGTH_MIN = 8
"""No cell is cut below this, for the sake of the width of a terminal."""
BETWEEN, LEFT_OUT = "  ", " …"
GREEN = "\x1b[32m"
COLOURS = {
    **dict.fromkeys(("live", "alive", "ok", "current"), GREEN),
    **dict.fromkeys(("draining", "maintenance", "degraded", "late", "note", "retrying", "unknown"), YELLOW),
    **dict.fromkeys(("unreachable", "silent", "failed", "bad", "stopped"), RED),
}
WORD = re.compile(rf"(?<=  )({'|'.join(COLOURS)})(?=  |$)")
"""A cell that says how something is; never the first one of a line."""


def as_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, columns: int | None = None) -> list[str]:
    """Lines of aligned columns, two spaces apart; numbers are aligned to the right.

    ``columns``: how long a line may be. The widest columns but the first are cut until lines fit; what does not fit
    even then is left out from the right, and the headings end with "…".
    """
    lines = [headings, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    if columns is not None:
        widths = _fitted(widths, columns)
    numeric = [bool(rows) and all(_is_number(row[place]) for row in rows) for place in range(len(widths))]
    table = [BETWEEN.join(_aligned(line[: len(widths)], widths, numeric)).rstrip() for line in lines]
    if len(widths) < len(headings):
        table[0] += LEFT_OUT
    return table


def painted(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a table with colours, for a terminal."""
    return (WORD.sub(lambda found: f"{COLOURS[found[1]]}{found[1]}{PLAIN}", line) for line in lines)


def _fitted(widths: Sequence[int], columns: int) -> list[int]:
    fitted = list(widths)
    total = sum(fitted) + len(BETWEEN) * (len(widths) - 1)
    while total > columns and len(fitted) > 1 and (widest := max(fitted[1:])) > CELL_LENGTH_MIN:
        fitted[1 + fitted[1:].index(widest)] -= 1
        total -= 1
    if total > columns:
        while total + len(LEFT_OUT) > columns and len(fitted) > 1:
            total -= fitted.pop() + len(BETWEEN)
    return fitted


def _aligned(line: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    for cell, width, right in zip(line, widths, numeric, strict=True):
        text = cell if len(cell) <= width else f"{cell[: width - 1]}…"
        yield text.rjust(width) if right else text.ljust(width)


def _is_number(text: str) -> bool:
    return text == "" or text.replace(".", "", 1).replace("-", "", 1).isdecimal()
