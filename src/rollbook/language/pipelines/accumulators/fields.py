"""Fields of a group that accumulators compute: ``{"total": {"$sum": "$gpus.count"}}``.

One rule: a field has a plain name and one accumulator.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.values import Document, Value
from rollbook.language import foreign
from rollbook.language.expressions import Scope
from rollbook.language.pipelines.accumulators.operators import Accumulator, State
from rollbook.language.pipelines.accumulators.table import ACCUMULATORS
from rollbook.language.pipelines.operators import REFERENCE_BYTES, Parsing, Running
from rollbook.language.projections.weighing import Charge, charging


class Field(Struct, frozen=True):
    """A field's name and what computes it."""

    name: str
    accumulator: Accumulator
    parts: Any


def parse_fields(json: dict[str, Value], parsing: Parsing) -> tuple[Field, ...]:
    """The fields of a group, without its key."""
    return tuple([_field(name, said, parsing) for name, said in json.items()])


def _field(name: str, said: Value, parsing: Parsing) -> Field:
    if not isinstance(said, dict) or not said:
        raise parsing.refused(40234, "a field of a group is an accumulator: {$sum: ...}", name)
    if "." in name:
        raise parsing.refused(40235, "the name of a group's field has no dot", name)
    if name[:1] == "$":
        raise parsing.refused(40236, "the name of a group's field doesn't begin with '$'", name)
    (operator, argument), *others = said.items()
    if others:
        raise parsing.refused(40238, f"an accumulator stands alone: '{others[0][0]}' can't stand beside it", name)
    accumulator = ACCUMULATORS.get(operator)
    if accumulator is None and operator in foreign.ACCUMULATORS:
        raise parsing.refused(115, f"{operator}: {foreign.ACCUMULATORS[operator]}", name, operator)
    if accumulator is None:
        raise parsing.refused(15952, foreign.unknown(operator, ACCUMULATORS, "accumulator"), name, operator)
    return Field(name, accumulator, accumulator.parse(argument, parsing.below(name, operator)))


class Group:
    """The documents of one group, as its accumulators see them."""

    __slots__ = ("_charge", "_names", "_states")

    def __init__(self, names: Sequence[str], states: Sequence[State], charge: Charge) -> None:
        self._names, self._states, self._charge = names, states, charge

    def add(self, scope: Scope) -> None:
        """Take in a document of the group."""
        for state in self._states:
            state.add(scope)

    def results(self) -> Document:
        """The fields of the group, in the order in which the request names them, checked and counted."""
        results = {name: state.result() for name, state in zip(self._names, self._states, strict=True)}
        for value in results.values():
            self._charge(value)
        return results


StartGroup: TypeAlias = Callable[[Value], Group]


def starting(fields: Sequence[Field], running: Running) -> StartGroup:
    """A function that starts the group of a key."""
    starts = [field.accumulator.compile(field.parts, running) for field in fields]
    names = [field.name for field in fields]
    charge = charging(running.work)
    size_bytes = REFERENCE_BYTES * (4 + 2 * len(fields))

    def start(key: Value) -> Group:
        running.work.allocate(size_bytes)
        return Group(names, [start_state(key) for start_state in starts], charge)

    return start
