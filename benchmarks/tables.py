"""Tables of latencies. One rule: milliseconds in a table, seconds everywhere else."""

from collections.abc import Sequence
from statistics import quantiles

COLUMNS = ("p50", "p90", "p99", "p99.9", "most")
PERMILLES = (500, 900, 990, 999)


def head_of(*names: str) -> str:
    """The two lines at the top: the first column is text, the others are numbers."""
    names = (*names, *COLUMNS)
    return f"| {' | '.join(names)} |\n|---|{'---:|' * (len(names) - 1)}"


def row_of(*cells: object, latencies: Sequence[float]) -> str:
    """A row: its first cells, and what the latencies come to."""
    cuts = quantiles(latencies, n=1000)
    figures = [cuts[permille - 1] for permille in PERMILLES] + [max(latencies)]
    return f"| {' | '.join(map(str, cells))} | {' | '.join(f'{each * 1000:.1f}' for each in figures)} |"
