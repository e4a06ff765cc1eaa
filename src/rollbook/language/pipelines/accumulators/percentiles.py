"""Accumulators of distributions: ``$median``, ``$percentile``.

One rule: a percentile is one of the numbers, the least one that is not below the wanted share of them. MongoDB gives
an approximation of it for large groups; here it is exact.
"""

from msgspec import Struct

from rollbook.documents.values import Value, is_number
from rollbook.language.expressions import Evaluate, Expression, Scope
from rollbook.language.expressions.numbers import number_of
from rollbook.language.expressions.percentiles import percentile_of
from rollbook.language.pipelines.accumulators.operators import Accumulator, Start
from rollbook.language.pipelines.operators import Parsing, Running

NUMBER_BYTES = 32


class Percentiles(Struct, frozen=True):
    """What is taken of each document, and the shares between 0 and 1 that are wanted of it."""

    input: Expression
    shares: tuple[float, ...]


def parse_median(json: Value, parsing: Parsing) -> Percentiles:
    """The input of ``$median``, and the method."""
    options = parsing.options(json, ("input", "method"), no_object=7436100, unknown=40415)
    return Percentiles(_input(options, parsing), (0.5,))


def parse_percentile(json: Value, parsing: Parsing) -> Percentiles:
    """The input of ``$percentile``, the shares ``p``, and the method."""
    options = parsing.options(json, ("input", "p", "method"), no_object=7429703, unknown=40415)
    if "p" not in options:
        raise parsing.refused(40414, "$percentile needs p, an array of numbers from 0 to 1")
    shares = options["p"]
    if not isinstance(shares, list) or not shares:
        raise parsing.refused(7750301, "p is an array of numbers from 0 to 1", "p")
    for place, share in enumerate(shares):
        if not is_number(share) or not 0 <= share <= 1:
            raise parsing.refused(7750303, "p holds numbers from 0 to 1", "p", place)
    return Percentiles(_input(options, parsing), tuple([float(share) for share in shares if is_number(share)]))


def _input(options: dict[str, Value], parsing: Parsing) -> Expression:
    for name in ("input", "method"):
        if name not in options:
            raise parsing.refused(40414, f"this accumulator needs '{name}'")
    if options["method"] != "approximate":
        raise parsing.refused(2, "the method is 'approximate', the only one that MongoDB has", "method")
    return parsing.expression(options["input"], "input")


class Distribution:
    """The numbers of the group."""

    __slots__ = ("_evaluate", "_numbers", "_shares", "_work")

    def __init__(self, evaluate: Evaluate, shares: tuple[float, ...], running: Running) -> None:
        self._evaluate, self._shares = evaluate, shares
        self._work = running.work
        self._numbers: list[float] = []

    def add(self, scope: Scope) -> None:
        number = number_of(self._evaluate(scope))
        if number is not None:
            self._work.allocate(NUMBER_BYTES)
            self._numbers.append(float(number))

    def result(self) -> Value:
        return self.percentiles()[0]

    def percentiles(self) -> list[Value]:
        """A number for each share, null when there are no numbers."""
        ordered = sorted(self._numbers)
        return [percentile_of(ordered, share) if ordered else None for share in self._shares]


class SeveralPercentiles(Distribution):
    """The numbers of the group, of which several are wanted."""

    __slots__ = ()

    def result(self) -> Value:
        return self.percentiles()


def median(parts: Percentiles, running: Running) -> Start:
    """Gives the median of the numbers of the group, or null when there are none."""
    evaluate = running.expression(parts.input)
    return lambda key: Distribution(evaluate, parts.shares, running)


def percentiles(parts: Percentiles, running: Running) -> Start:
    """Gives the percentiles of the numbers of the group for each share in ``p``; null for each when there are none."""
    evaluate = running.expression(parts.input)
    return lambda key: SeveralPercentiles(evaluate, parts.shares, running)


ACCUMULATORS = (
    Accumulator("$median", parse_median, median),
    Accumulator("$percentile", parse_percentile, percentiles),
)
