"""Accumulators that put values together: ``$push``, ``$addToSet``, ``$mergeObjects``.

One rule: what is collected is counted, for it all stays in memory until the group is done.
"""

from rollbook.documents.values import MISSING, Document, Value, type_name
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions import Evaluate, Scope
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators.operators import of_operand
from rollbook.language.pipelines.operators import REFERENCE_BYTES, Running
from rollbook.language.projections.weighing import charging


class Push:
    """Gives the array of the values of all documents of the group, in their order; missing values are left out."""

    __slots__ = ("_charge", "_evaluate", "_values", "_work")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._charge = charging(running.work)
        self._work = running.work
        self._values: list[Value] = []

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is not MISSING:
            self._work.allocate(REFERENCE_BYTES)
            self._charge(value)
            self._values.append(value)

    def result(self) -> Value:
        return self._values


class AddToSet:
    """Gives the array of the different values of the group, in the order in which they first appear."""

    __slots__ = ("_charge", "_evaluate", "_values", "_work")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._charge = charging(running.work)
        self._work = running.work
        self._values: dict[object, Value] = {}

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is not MISSING:
            key = key_of(value)
            if key not in self._values:
                self._work.allocate(2 * REFERENCE_BYTES)
                self._charge(value)
                self._values[key] = value

    def result(self) -> Value:
        return list(self._values.values())


class MergeObjects:
    """Gives the fields of all objects of the group in one object; of fields of one name, the last one's value."""

    __slots__ = ("_charge", "_evaluate", "_merged")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._charge = charging(running.work)
        self._merged: Document = {}

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if isinstance(value, dict):
            self._charge(value)
            self._merged.update(value)
        elif value is not None and value is not MISSING:
            raise ExpressionRefused(f"$mergeObjects merges objects, not {type_name(value)}", mongo_code=40400)

    def result(self) -> Value:
        return self._merged


ACCUMULATORS = (
    of_operand("$push", Push),
    of_operand("$addToSet", AddToSet),
    of_operand("$mergeObjects", MergeObjects),
)
