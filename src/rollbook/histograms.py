"""Histograms: how many values lie between one bound and the next, as Prometheus reads them.

One rule: adding is a few plain steps, for it is done with every request. What is quicker than two looks at the clock
are worth is timed once in a while only: the one that is timed counts for those that were not.
"""

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS_SECONDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BOUNDS_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
UNTIMED_MAX = 15


class Histogram:
    """``counts[n]``: how many values were at most the bound ``n``, and over the one before; the last: over all bounds.

    ``untimed``: how many came since the last one that was timed.
    """

    __slots__ = ("bounds", "counts", "sum", "untimed")

    def __init__(self, bounds: Sequence[float] = BOUNDS_SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.untimed = 0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def settle(self, value: float) -> None:
        """Count one value, and the same for each that was not timed."""
        self.counts[bisect_left(self.bounds, value)] += self.untimed + 1
        self.sum += value * (self.untimed + 1)
        self.untimed = 0

    def __add__(self, other: "Histogram") -> "Histogram":
        both = Histogram(self.bounds)
        both.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        both.sum, both.untimed = self.sum + other.sum, self.untimed + other.untimed
        return both

    @property
    def total(self) -> int:
        """How many values there were."""
        return sum(self.counts) + self.untimed
