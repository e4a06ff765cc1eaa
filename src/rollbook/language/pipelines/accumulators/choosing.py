"""Accumulators that give one value of the group: ``$first``, ``$last``, ``$min``, ``$max``.

One rule: the first and last are whatever they are, null included; the least and greatest pass over null and missing.
"""

from rollbook.documents.ordering import SortKey
from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.language.expressions import Evaluate, Scope
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators.operators import of_operand
from rollbook.language.pipelines.operators import Running


class First:
    """Gives the value of the first document of the group, null when it has none."""

    __slots__ = ("_evaluate", "_has_value", "_value")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._has_value = False
        self._value: Maybe = None

    def add(self, scope: Scope) -> None:
        if not self._has_value:
            self._has_value = True
            self._value = self._evaluate(scope)

    def result(self) -> Value:
        return None if self._value is MISSING else self._value


class Last:
    """Gives the value of the last document of the group, null when it has none."""

    __slots__ = ("_evaluate", "_value")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._value: Maybe = None

    def add(self, scope: Scope) -> None:
        self._value = self._evaluate(scope)

    def result(self) -> Value:
        return None if self._value is MISSING else self._value


class Least:
    """Gives the least value of the group, in MongoDB's order over all types."""

    __slots__ = ("_evaluate", "_key", "_value")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._key: SortKey | None = None
        self._value: Value = None

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is not None and value is not MISSING:
            key = key_of(value)
            if self._key is None or key < self._key:
                self._key, self._value = key, value

    def result(self) -> Value:
        return self._value


class Greatest:
    """Gives the greatest value of the group, in MongoDB's order over all types."""

    __slots__ = ("_evaluate", "_key", "_value")

    def __init__(self, evaluate: Evaluate, running: Running) -> None:
        self._evaluate = evaluate
        self._key: SortKey | None = None
        self._value: Value = None

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is not None and value is not MISSING:
            key = key_of(value)
            if self._key is None or key > self._key:
                self._key, self._value = key, value

    def result(self) -> Value:
        return self._value


ACCUMULATORS = (
    of_operand("$first", First),
    of_operand("$last", Last),
    of_operand("$min", Least),
    of_operand("$max", Greatest),
)
