"""How long things took, counted by length: what Prometheus calls a histogram.

One rule: adding is a few plain steps, for it is done with every request. What is quicker than two looks at the clock
are worth is timed once in a while only: the one that is timed counts for those that were not.
"""

from bisect import bisect_left

BOUNDS_SECONDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNTIMED_MAX = 15


class Histogram:
    """``counts[n]``: how many took no longer than the bound ``n``, and longer than the one before; the last: longer.

    ``untimed``: how many there were since, of which that is not known yet.
    """

    __slots__ = ("counts", "seconds", "untimed")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self.seconds = 0.0
        self.untimed = 0

    def add(self, seconds: float) -> None:
        """Count one that took so long."""
        self.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.seconds += seconds

    def settle(self, seconds: float) -> None:
        """Count one that took so long, and as long for each that was not timed."""
        self.counts[bisect_left(BOUNDS_SECONDS, seconds)] += self.untimed + 1
        self.seconds += seconds * (self.untimed + 1)
        self.untimed = 0

    def __add__(self, other: "Histogram") -> "Histogram":
        both = Histogram()
        both.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        both.seconds, both.untimed = self.seconds + other.seconds, self.untimed + other.untimed
        return both

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.counts) + self.untimed
