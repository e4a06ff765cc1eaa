"""Sums that are kept up by what comes and goes, exactly.

Theory: integers are summed exactly, and so are fractions, as integers of the smallest step that a float64 can take
(2**-1074). An exact sum can be taken back exactly, and rounds to what ``math.fsum`` gives; so a sum that was kept up
through thousands of joins is the sum over the nodes, to the last bit.

One rule: what is kept up equals what summing afresh gives. Where that is not sure it is summed afresh.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from rollbook.documents.values import INT64_MAX

STEPS = 1 << 1074
EXACT_MAX = 1 << 53
"""Greater integers are not what a float64 says they are."""


class Sum(Struct, frozen=True):
    """What the numbers of some nodes come to: whole ones, fractions (in steps), and how many there are of each."""

    whole: int = 0
    steps: int = 0
    numbers: int = 0
    fractions: int = 0
    inexact: int = 0
    """How many numbers can't be added and taken back exactly."""

    def plus(self, value: int | float, times: int) -> "Sum":
        """With a number (``times`` 1), or without it (-1)."""
        if isinstance(value, float):
            if not math.isfinite(value):
                return Sum(self.whole, self.steps, self.numbers + times, self.fractions + times, self.inexact + times)
            above, below = value.as_integer_ratio()
            steps = self.steps + times * above * (STEPS // below)
            return Sum(self.whole, steps, self.numbers + times, self.fractions + times, self.inexact)
        inexact = self.inexact + times * (abs(value) > EXACT_MAX)
        return Sum(self.whole + times * int(value), self.steps, self.numbers + times, self.fractions, inexact)

    def value(self) -> int | float | None:
        """The sum, as ``math.fsum`` rounds it where there are fractions; None: it has to be summed afresh."""
        if not self.fractions:
            return self.whole if -INT64_MAX <= self.whole <= INT64_MAX else float(self.whole)
        if self.inexact:
            return None
        try:
            return (self.whole * STEPS + self.steps) / STEPS
        except OverflowError:
            return math.inf


def sum_of(numbers: Sequence[int | float]) -> Sum:
    """The sum of some numbers."""
    if set(map(type, numbers)) <= {int} and (not numbers or max(map(abs, numbers)) <= EXACT_MAX):
        return Sum(whole=int(sum(numbers)), numbers=len(numbers))
    found = Sum()
    for value in numbers:
        found = found.plus(value, 1)
    return found
