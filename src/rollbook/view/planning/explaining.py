"""Says how a filter would be answered, in words for people.

One rule: the words come from the same planner that answers, clause by clause, so they can't say what it does not do.
"""

from collections.abc import Callable
from typing import TypeAlias, assert_never

from msgspec import Struct
from pyroaring import BitMap

from rollbook.documents.codec import encode_json
from rollbook.documents.paths import dotted
from rollbook.documents.values import Value
from rollbook.language.filters.nodes import All, Any, Computed, Constant, ElemMatch, Field, Filter, JsonSchema, Not
from rollbook.view.index.indexes import Index
from rollbook.view.index.resolved_paths import is_numeric, place_of
from rollbook.view.planning.answers import Answer, exactly
from rollbook.view.planning.planning import Planner, planner_of
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.veils import Veil

Beside: TypeAlias = Callable[[Filter], BitMap | None]

OPERAND_LENGTH_MAX = 60
EXPLAINING_SECONDS_MAX = 0.1


class Explanation(Struct, frozen=True):
    """One clause: how many documents match it for certain, how many may, how that is known; and its parts."""

    clause: str
    certain: int
    candidates: int
    how: str
    parts: tuple["Explanation", ...] = ()

    def lines(self, indent: str = "") -> list[str]:
        """The explanation as indented text."""
        below = [line for part in self.parts for line in part.lines(indent + "  ")]
        return [f"{indent}{self.clause}: {self.how}", *below]

    def as_json(self) -> dict[str, Value]:
        """The explanation as a JSON object."""
        parts: list[Value] = [part.as_json() for part in self.parts]
        facts: dict[str, Value] = {"clause": self.clause, "candidates": self.candidates, "certain": self.certain}
        return {
            **facts,
            "exact": self.certain == self.candidates,
            "how": self.how,
            **({"parts": parts} if parts else {}),
        }


def explain(
    filter: Filter,
    index: Index,
    *,
    live: BitMap | None = None,
    veil: Veil | None = None,
    beside: Beside = lambda clause: None,
) -> Explanation:
    """How ``filter`` would be answered from ``index``, as it is now, of the documents ``live`` (None: of all).

    ``beside`` gives the documents that match a clause which something else than the index answers; else None.
    """
    planner = planner_of(index, effort_from_now(EXPLAINING_SECONDS_MAX), live=live, veil=veil)
    return _explained(filter, planner, beside)


def _explained(filter: Filter, planner: Planner, beside: Beside) -> Explanation:
    live, known = planner.domain.live, beside(filter)
    answer = (planner.answer(filter, live) if known is None else exactly(known)).both(exactly(live))
    parts = tuple(_explained(clause, planner, beside) for clause in _parts(filter))
    words, how = words_of_clause(filter), _how(filter, answer, planner)
    return Explanation(words, len(answer.certain), len(answer.possible), how, parts)


def _parts(filter: Filter) -> tuple[Filter, ...]:
    match filter:
        case All(clauses) | Any(clauses):
            return clauses
        case Not(clause):
            return (clause,)
    return ()


def words_of_clause(filter: Filter) -> str:
    """A clause as people read it: ``gpus.count $gte 8``."""
    match filter:
        case Field(path, operator, operand):
            return f"{dotted(path)} {operator} {_short(operand)}".lstrip()
        case ElemMatch(path, clause):
            return f"some element of {dotted(path)}: {words_of_clause(clause)}"
        case All(clauses):
            return _joined(clauses, "all of") if clauses else "every document"
        case Any(clauses):
            return _joined(clauses, "any of")
        case Not(clause):
            return f"not ({words_of_clause(clause)})"
        case Constant(matches):
            return "every document" if matches else "no document"
        case Computed():
            return "$expr"
        case JsonSchema():
            return "$jsonSchema"
    assert_never(filter)


def _joined(clauses: tuple[Filter, ...], quantity: str) -> str:
    return words_of_clause(clauses[0]) if len(clauses) == 1 else f"{quantity} {len(clauses)} clauses"


def _short(operand: Value) -> str:
    text = encode_json(operand).decode()
    return text if len(text) <= OPERAND_LENGTH_MAX else f"{text[: OPERAND_LENGTH_MAX - 3]}..."


def _how(filter: Filter, answer: Answer, planner: Planner) -> str:
    certain, candidates, documents = len(answer.certain), len(answer.possible), len(planner.domain.live)
    if answer.exact:
        return f"the indexes answer it: {candidates} of {documents} documents match"
    looked_at = candidates - certain
    found = f"{certain} of {documents} documents match for certain, {looked_at} are looked at one by one"
    if candidates < documents:
        return f"the indexes narrow it: {found}"
    return f"{_reason(filter, planner)}: {found}"


def _reason(filter: Filter, planner: Planner) -> str:
    """Why no index narrows a clause."""
    match filter:
        case Computed():
            return "no index knows what an expression gives"
        case JsonSchema():
            return "no index knows what a schema asks"
        case Field(path) | ElemMatch(path) if planner.veil is not None and not planner.veil.shows(path):
            return "the path, or something below it, is not visible to you"
        case Field(collation=collation) if collation is not None:
            return "the indexes hold texts as they are, not as the collation compares them"
        case Field(path) | ElemMatch(path):
            if any(map(is_numeric, path)):
                return "the path names an element by its position, which no index knows"
            if not path or place_of(planner.root, path) is None:
                return "the path is not indexed"
            place = place_of(planner.root, path)
            if place is not None and place.unknown():
                return "arrays with very many values are not indexed, and the path leads into one"
            return "the index does not answer this"
    return "some clause has no index to narrow it"
