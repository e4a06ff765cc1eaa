"""Filling computed fields into documents, for ``$project``, ``$set`` and projections of queries alike.

Theory of operation, which is MongoDB's: expressions see the document as it came, never what others have filled in. A
path goes through objects and, element by element, through arrays, however nested; anything else on the way becomes an
object that holds the computed fields only. A field whose expression gives nothing is removed. Existing fields keep
their places, new ones come last, in the order in which the request names them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from rollbook.documents.values import MISSING, Document, Value
from rollbook.language.expressions import Evaluate, Scope, compile_expression
from rollbook.language.filters import Filter
from rollbook.language.projections.arrays import first_matching
from rollbook.language.projections.nodes import Branch, Computed, FirstMatch, Node
from rollbook.language.projections.weighing import charging
from rollbook.limits import RequestBudget

Fill: TypeAlias = Callable[[Document, Scope], None]
"""Fills computed fields into an object that nobody else holds."""


def compile_fill(branch: Branch, work: RequestBudget, now: datetime | None = None) -> Fill | None:
    """The function that fills in what ``branch`` computes; None when it computes nothing. ``now`` is ``$$NOW``."""
    fills = [fill for name, node in branch.members if (fill := _fill_of(name, node, work, now)) is not None]
    if len(fills) == 1:
        return fills[0]

    def fill_all(target: Document, scope: Scope) -> None:
        for fill in fills:
            fill(target, scope)

    return fill_all if fills else None


def _fill_of(name: str, node: Node, work: RequestBudget, now: datetime | None) -> Fill | None:
    match node:
        case Computed(expression, at):
            return _field_fill(name, compile_expression(expression, work=work, now=now), at, work)
        case FirstMatch(filter):
            return _first_match_fill(name, filter, work)
        case Branch():
            inner = compile_fill(node, work, now)
            return None if inner is None else _branch_fill(name, inner)
    return None


def _field_fill(name: str, evaluate: Evaluate, at: str, work: RequestBudget) -> Fill:
    charge = charging(work, at=at)

    def fill(target: Document, scope: Scope) -> None:
        value = evaluate(scope)
        if value is MISSING:
            target.pop(name, None)
        else:
            charge(value)
            target[name] = value

    return fill


def _first_match_fill(name: str, filter: Filter, work: RequestBudget) -> Fill:
    first_of = first_matching(name, filter, work)

    def fill(target: Document, scope: Scope) -> None:
        found = first_of(scope["ROOT"])
        if found is MISSING:
            target.pop(name, None)
        else:
            target[name] = found

    return fill


def _branch_fill(name: str, inner: Fill) -> Fill:
    def filled(value: Value, scope: Scope) -> Value:
        if isinstance(value, list):
            return [filled(element, scope) for element in value]
        target = dict(value) if isinstance(value, dict) else {}
        inner(target, scope)
        return target

    def fill(target: Document, scope: Scope) -> None:
        target[name] = filled(target.get(name), scope)

    return fill


def computes(node: Node) -> bool:
    """Whether anything below ``node`` is computed."""
    match node:
        case Branch(members):
            return any(computes(member) for _, member in members)
        case Computed() | FirstMatch():
            return True
    return False
