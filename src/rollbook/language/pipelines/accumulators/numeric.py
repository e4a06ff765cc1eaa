"""Accumulators of numbers: ``$sum``, ``$avg``, ``$stdDevPop``, ``$stdDevSamp``, ``$count``.

One rule: what is no number is passed over, and the result is as wide as the widest number: an int, a long, a double.
"""

from math import fsum, isfinite, sqrt

from rollbook.documents.values import Value
from rollbook.language.expressions import Evaluate, Scope
from rollbook.language.expressions.numbers import integer, is_long, number_of
from rollbook.language.pipelines.accumulators.operators import Accumulator, Start, State, of_operand
from rollbook.language.pipelines.operators import Parsing, Running


class Total:
    """A running sum: of integers exactly, of doubles with the rounding errors kept and added at the end."""

    __slots__ = ("_doubles", "_errors", "_has_doubles", "_has_longs", "_integers", "count")

    def __init__(self) -> None:
        self.count = 0
        self._integers = 0
        self._doubles = 0.0
        self._errors = 0.0
        self._has_longs = False
        self._has_doubles = False

    def add(self, number: int | float) -> None:
        self.count += 1
        if isinstance(number, int):
            self._integers += number
            self._has_longs = self._has_longs or is_long(number)
            return
        self._has_doubles = True
        total = self._doubles + number
        larger, smaller = (self._doubles, number) if abs(self._doubles) >= abs(number) else (number, self._doubles)
        self._errors += (larger - total) + smaller
        self._doubles = total

    def value(self) -> int | float:
        """The sum, of MongoDB's type for it."""
        return self.double() if self._has_doubles else integer(self._integers, long=self._has_longs)

    def double(self) -> float:
        """The sum as a double."""
        if not isfinite(self._doubles):
            return self._doubles
        high = float(self._integers)
        low = float(self._integers - int(high))
        # Rounded once: what the doubles and the integers leave of each other may be as small as the kept errors.
        try:
            return fsum((self._doubles, self._errors, high, low))
        except OverflowError:
            return self._doubles + self._errors + high


class Sum:
    """Adds up the numbers of the group."""

    __slots__ = ("_evaluate", "_total")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._total = Total()

    def add(self, scope: Scope) -> None:
        number = number_of(self._evaluate(scope))
        if number is not None:
            self._total.add(number)

    def result(self) -> Value:
        return self._total.value()


class Average:
    """Gives the average of the numbers of the group, or null when there are none."""

    __slots__ = ("_evaluate", "_total")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._total = Total()

    def add(self, scope: Scope) -> None:
        number = number_of(self._evaluate(scope))
        if number is not None:
            self._total.add(number)

    def result(self) -> Value:
        return self._total.double() / self._total.count if self._total.count else None


class Deviation:
    """Gives the standard deviation of the numbers, or null when there are no more than ``spare`` of them."""

    __slots__ = ("_count", "_evaluate", "_mean", "_spare", "_squares")

    def __init__(self, evaluate: Evaluate, *, spare: int) -> None:
        self._evaluate = evaluate
        self._spare = spare
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, scope: Scope) -> None:
        number = number_of(self._evaluate(scope))
        if number is not None:
            self._count += 1
            distance = number - self._mean
            self._mean += distance / self._count
            self._squares += distance * (number - self._mean)

    def result(self) -> Value:
        freedom = self._count - self._spare
        return sqrt(self._squares / freedom) if freedom > 0 else None


def deviation_of_population(evaluate: Evaluate, running: Running) -> State:
    """Gives the standard deviation of the numbers of the group as a whole population; null when there are none."""
    return Deviation(evaluate, spare=0)


def deviation_of_sample(evaluate: Evaluate, running: Running) -> State:
    """Gives the standard deviation of the numbers of the group as a sample of more; null for fewer than two."""
    return Deviation(evaluate, spare=1)


class Count:
    """How many documents the group has."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, scope: Scope) -> None:
        self._count += 1

    def result(self) -> Value:
        return self._count


def parse_no_operand(json: Value, parsing: Parsing) -> None:
    """The empty object that ``$count`` takes."""
    if json != {}:
        raise parsing.refused(14, "$count takes an empty object")


def counting(parts: None, running: Running) -> Start:
    """Counts the documents of the group."""
    return lambda key: Count()


ACCUMULATORS = (
    of_operand("$sum", Sum),
    of_operand("$avg", Average),
    of_operand("$stdDevPop", deviation_of_population),
    of_operand("$stdDevSamp", deviation_of_sample),
    Accumulator("$count", parse_no_operand, counting),
)
