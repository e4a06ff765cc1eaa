"""Accumulators that order the documents of the group: ``$top``, ``$bottom``, ``$topN``, ``$bottomN``.

One rule: of documents that are equal in the order, the one that came first is before the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollbook.documents.values import MISSING, Value
from rollbook.language.expressions import Evaluate, Expression, Scope
from rollbook.language.expressions.nodes import Constant
from rollbook.language.pipelines.accumulators.operators import Accumulator, Start, State
from rollbook.language.pipelines.accumulators.several import GATHERED_MAX, whole_number
from rollbook.language.pipelines.operators import Parsing, Running
from rollbook.language.projections.weighing import charging
from rollbook.language.sorting import Sort, compile_sort, parse_sort


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order, what is given of a document, and of how many documents, which stands at ``at``."""

    sort: Sort
    output: Expression
    number: Expression
    at: str


def parse_one_ranked(json: Value, parsing: Parsing) -> Ranking:
    """The order and the output of ``$top`` and ``$bottom``."""
    options = parsing.options(json, ("sortBy", "output"), no_object=5788001, unknown=5788002)
    return _ranking(options, Constant(1), parsing)


def parse_several_ranked(json: Value, parsing: Parsing) -> Ranking:
    """The order, the output and the number of values of ``$topN`` and ``$bottomN``."""
    options = parsing.options(json, ("n", "sortBy", "output"), no_object=5788001, unknown=5788002)
    if "n" not in options:
        raise parsing.refused(5788003, "this accumulator needs n, the number of values")
    return _ranking(options, parsing.expression(options["n"], "n"), parsing)


def _ranking(options: dict[str, Value], number: Expression, parsing: Parsing) -> Ranking:
    if "output" not in options:
        raise parsing.refused(5788004, "this accumulator needs an output")
    if "sortBy" not in options:
        raise parsing.refused(5788005, "this accumulator needs sortBy, the order")
    order = options["sortBy"]
    if not isinstance(order, dict) or not order:
        raise parsing.refused(10065, "sortBy is an object of paths and directions", "sortBy")
    sort = parse_sort(order, at=parsing.pointer("sortBy"), limits=parsing.limits)
    return Ranking(sort, parsing.expression(options["output"], "output"), number, parsing.pointer("n"))


def ranking_first(parts: Ranking, running: Running) -> Start:
    """Gives the output of the document that is first in an order."""
    start = ranking_first_several(parts, running)
    return lambda group: OneRanked(start(group))


def ranking_last(parts: Ranking, running: Running) -> Start:
    """Gives the output of the document that is last in an order."""
    start = ranking_last_several(parts, running)
    return lambda group: OneRanked(start(group))


def ranking_first_several(parts: Ranking, running: Running) -> Start:
    """Gives the outputs of the first ``n`` documents in an order."""
    return _starting(lambda number: slice(None, number), parts, running)


def ranking_last_several(parts: Ranking, running: Running) -> Start:
    """Gives the outputs of the last ``n`` documents in an order."""
    return _starting(lambda number: slice(-number, None), parts, running)


def _starting(part: Callable[[int], slice], parts: Ranking, running: Running) -> Start:
    key, evaluate = compile_sort(parts.sort), running.expression(parts.output)
    number = running.expression(parts.number)
    return lambda group: SeveralRanked(part, key, evaluate, whole_number(number, parts.at, group), running)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document's value and its place in the order; of equal ones the earlier document is the lesser."""

    key: Any
    place: int
    value: Value

    def __lt__(self, other: "Ranked") -> bool:
        if self.key < other.key:
            return True
        return self.place < other.place and not other.key < self.key


class SeveralRanked:
    """The documents at one end of the order: many are gathered before the others are dropped."""

    __slots__ = ("_charge", "_evaluate", "_gathered_max", "_key", "_part", "_ranked", "_seen")

    def __init__(
        self,
        part: Callable[[int], slice],
        key: Callable[[Any], Any],
        evaluate: Evaluate,
        most: int,
        running: Running,
    ) -> None:
        self._key, self._evaluate = key, evaluate
        self._part = part(most)
        self._gathered_max = 2 * most + GATHERED_MAX
        self._charge = charging(running.work)
        self._ranked: list[Ranked] = []
        self._seen = 0

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is MISSING:
            value = None
        self._charge(value)
        self._seen += 1
        self._ranked.append(Ranked(self._key(scope["ROOT"]), self._seen, value))
        if len(self._ranked) >= self._gathered_max:
            self._ranked = sorted(self._ranked)[self._part]

    def result(self) -> Value:
        return [ranked.value for ranked in sorted(self._ranked)[self._part]]


class OneRanked:
    """The document at one end of the order."""

    __slots__ = ("_several",)

    def __init__(self, several: State) -> None:
        self._several = several

    def add(self, scope: Scope) -> None:
        self._several.add(scope)

    def result(self) -> Value:
        match self._several.result():
            case [only]:
                return only
        return None


ACCUMULATORS = (
    Accumulator("$top", parse_one_ranked, ranking_first),
    Accumulator("$bottom", parse_one_ranked, ranking_last),
    Accumulator("$topN", parse_several_ranked, ranking_first_several),
    Accumulator("$bottomN", parse_several_ranked, ranking_last_several),
)
