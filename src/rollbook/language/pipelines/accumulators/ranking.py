"""Accumulators that order the documents of the group: ``$top``, ``$bottom``, ``$topN``, ``$bottomN``.

One rule: of documents that are equal in the order, the one that came first is before the others.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from rollbook.documents.values import MISSING, Value
from rollbook.language.expressions import Evaluate, Expression, Scope
from rollbook.language.expressions.nodes import Constant
from rollbook.language.pipelines.accumulators.keeping import GATHERED_MAX, Keeping, Ranked, place_of
from rollbook.language.pipelines.accumulators.operators import Accumulator, Start, State
from rollbook.language.pipelines.accumulators.several import whole_number
from rollbook.language.pipelines.operators import Parsing, Running
from rollbook.language.sorting import Sort, compile_sort, parse_sort


class Ranking(Struct, frozen=True):
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
    sort = parse_sort(order, at=parsing.pointer("sortBy"))
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
    return _starting(parts, running, at_end=False)


def ranking_last_several(parts: Ranking, running: Running) -> Start:
    """Gives the outputs of the last ``n`` documents in an order."""
    return _starting(parts, running, at_end=True)


def _starting(parts: Ranking, running: Running, *, at_end: bool) -> Start:
    key, evaluate = compile_sort(parts.sort), running.expression(parts.output)
    number = running.expression(parts.number)
    return lambda group: SeveralRanked(evaluate, key, whole_number(number, parts.at, group), running, at_end=at_end)


class RankKey:
    """A document's place in the order; of equal ones the earlier document is the lesser."""

    __slots__ = ("_key", "_number")

    def __init__(self, key: Any, number: int) -> None:
        self._key, self._number = key, number

    def __lt__(self, other: "RankKey") -> bool:
        if self._key < other._key:
            return True
        return self._number < other._number and not other._key < self._key


class SeveralRanked:
    """The documents at one end of the order: many are gathered before the others are dropped.

    Once some have been dropped, what lies beyond the last one that stayed is not looked at any more.
    """

    __slots__ = ("_at_end", "_bound", "_evaluate", "_kept", "_key", "_most", "_seen")

    def __init__(
        self, evaluate: Evaluate, key: Callable[[Any], Any], most: int, running: Running, *, at_end: bool
    ) -> None:
        self._evaluate, self._key, self._most, self._at_end = evaluate, key, most, at_end
        self._kept = Keeping(running)
        self._bound: RankKey | None = None
        self._seen = 0

    def add(self, scope: Scope) -> None:
        self._seen += 1
        place = RankKey(self._key(scope["ROOT"]), self._seen)
        if self._bound is not None and (place < self._bound if self._at_end else self._bound < place):
            return
        value = self._evaluate(scope)
        self._kept.add(place, None if value is MISSING else value)
        if len(self._kept.items) >= 2 * self._most + GATHERED_MAX:
            ranked = self._ranked()
            self._kept.keep(ranked)
            self._bound = ranked[0 if self._at_end else -1].place

    def result(self) -> Value:
        return [kept.value for kept in self._ranked()]

    def _ranked(self) -> list[Ranked]:
        ranked = sorted(self._kept.items, key=place_of)
        return ranked[-self._most :] if self._at_end else ranked[: self._most]


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
