"""Sums, means and extremes of what one document holds: ``$sum $avg $min $max $stdDevPop $stdDevSamp``.

One rule: a single argument that is an array stands for its elements; among several arguments an array is one value,
which only ``$min`` and ``$max`` look at. Null and missing are never counted, nor is what is no number by the others.
"""

from collections.abc import Callable, Iterable, Sequence
from math import fsum, inf, isfinite, nan, sqrt

from rollbook.documents.ordering import SortKey
from rollbook.documents.values import Maybe
from rollbook.language.expressions.growth import key_of
from rollbook.language.expressions.numbers import Number, integer, is_long, is_null, number_of
from rollbook.language.expressions.operators import Function


def total(*values: Maybe) -> Maybe:
    """The sum of the numbers, 0 when there is none."""
    return sum_of(_numbers(values))


def mean(*values: Maybe) -> Maybe:
    """The mean of the numbers, a double; null when there is none."""
    numbers = _numbers(values)
    return _double_sum(numbers) / len(numbers) if numbers else None


def smallest(*values: Maybe) -> Maybe:
    """The first of the values in MongoDB's order; null when there is none."""
    return extreme(_items(values), lambda key, best: key < best)


def largest(*values: Maybe) -> Maybe:
    """The last of the values in MongoDB's order; null when there is none."""
    return extreme(_items(values), lambda key, best: key > best)


def deviation_of_population(*values: Maybe) -> Maybe:
    """The standard deviation of the numbers as a whole population; null when there is none."""
    return deviation(_numbers(values), of_sample=False)


def deviation_of_sample(*values: Maybe) -> Maybe:
    """The standard deviation of the numbers as a sample of more; null when there are fewer than two."""
    return deviation(_numbers(values), of_sample=True)


def sum_of(numbers: Sequence[Number]) -> Number:
    """The sum, typed as the widest of the numbers; an integer that a long can't hold is a double."""
    whole = [number for number in numbers if isinstance(number, int)]
    if len(whole) == len(numbers):
        return integer(sum(whole), long=any(map(is_long, whole)))
    return _double_sum(numbers)


def extreme(values: Iterable[Maybe], is_better: Callable[[SortKey, SortKey], bool]) -> Maybe:
    """The best of the values that are not null, the first of equals; null when there is none."""
    best: Maybe = None
    best_key: SortKey | None = None
    for value in values:
        if is_null(value):
            continue
        key = key_of(value)
        if best_key is None or is_better(key, best_key):
            best, best_key = value, key
    return best


def deviation(numbers: Sequence[Number], *, of_sample: bool) -> float | None:
    """The standard deviation of a population, or of a sample."""
    freedom = len(numbers) - of_sample
    if freedom <= 0:
        return None
    middle = squares = 0.0
    for count, number in enumerate(map(float, numbers), start=1):
        distance = number - middle
        middle += distance / count
        squares += distance * (number - middle)
    return sqrt(squares / freedom) if squares == squares else nan


def _items(values: tuple[Maybe, ...]) -> Sequence[Maybe]:
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return values


def _numbers(values: tuple[Maybe, ...]) -> list[Number]:
    return [number for number in map(number_of, _items(values)) if number is not None]


def _double_sum(numbers: Sequence[Number]) -> float:
    """The sum, rounded once and not at each step."""
    if not all(map(isfinite, numbers)):
        return float(sum(numbers))
    try:
        return fsum(numbers)
    except OverflowError:
        return _as_double(sum(map(int, numbers)))


def _as_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


OPERATORS = (
    Function("$sum", total, (0, None)),
    Function("$avg", mean, (0, None)),
    Function("$min", smallest, (0, None)),
    Function("$max", largest, (0, None)),
    Function("$stdDevPop", deviation_of_population, (0, None)),
    Function("$stdDevSamp", deviation_of_sample, (0, None)),
)
