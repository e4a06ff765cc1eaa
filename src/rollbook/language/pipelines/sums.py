"""Pipelines that begin by adding up: ``$group`` with sums, averages, least and greatest numbers, and counts.

One rule: what is recognised here is computed as ``$group`` would; so what knows the numbers without looking at
documents may do it in its place, and only the rest of the pipeline is left to run.
"""

from collections.abc import Sequence

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.language.expressions.nodes import Constant, Expression, ObjectOf, Variable
from rollbook.language.pipelines.accumulators import Field
from rollbook.language.pipelines.operators import Pipeline, Stage
from rollbook.language.pipelines.unwinding import Unwinding

MEASURES = frozenset({"$sum", "$avg", "$min", "$max"})


class Measure(Struct, frozen=True):
    """A field of a group: an operator of MEASURES over the numbers at ``path``, or ``$count``."""

    name: str
    operator: str
    path: Path = ()


class Sums(Struct, frozen=True):
    """Groups by the value at ``path`` (None: one group), whose fields are ``measures``, of what ``unwound`` gives.

    With ``several`` names and paths, the key is an object of their values.
    ``stages`` are those that it stands for, ``rest`` the pipeline after them.
    """

    path: Path | None
    measures: tuple[Measure, ...]
    unwound: tuple[Path, ...]
    stages: Pipeline
    rest: Pipeline
    several: tuple[tuple[str, Path], ...] = ()


def leading_sums(pipeline: Pipeline) -> Sums | None:
    """The sums that the pipeline begins with, after its leading ``$match``; None when it begins otherwise."""
    stages = pipeline.stages
    if stages and stages[0].operator.name == "$match":
        stages = stages[1:]
    unwound = _unwound(stages)
    after = stages[len(unwound) :]
    if not after or after[0].operator.name != "$group":
        return None
    parts = after[0].parts
    measures = [_measure(field) for field in parts.fields]
    if parts.collation is not None or None in measures:
        return None
    known = tuple(measure for measure in measures if measure is not None)
    counted = len(unwound) + 1
    head, rest = Pipeline(stages[:counted]), Pipeline(stages[counted:])
    match parts.key:
        case Variable("CURRENT", path) if path:
            return Sums(path, known, unwound, head, rest)
        case Constant(None):
            return Sums(None, known, unwound, head, rest)
        case ObjectOf(members) if members and not unwound and (several := _paths_in(members)):
            return Sums(None, known, unwound, head, rest, several)
    return None


def _paths_in(members: Sequence[tuple[str, Expression]]) -> tuple[tuple[str, Path], ...]:
    """The names and paths of members that are all values at paths; else none."""
    found: list[tuple[str, Path]] = []
    for name, value in members:
        match value:
            case Variable("CURRENT", path) if path:
                found.append((name, path))
            case _:
                return ()
    return tuple(found)


def _unwound(stages: Sequence[Stage]) -> tuple[Path, ...]:
    """The paths of the plain ``$unwind`` stages that come first."""
    paths: list[Path] = []
    for stage in stages:
        match stage.parts:
            case Unwinding(path, None, False) if stage.operator.name == "$unwind":
                paths.append(path)
            case _:
                break
    return tuple(paths)


def _measure(field: Field) -> Measure | None:
    match field.accumulator.name, field.parts:
        case "$count", _:
            return Measure(field.name, "$count")
        case "$sum", Constant(value) if type(value) is int and value == 1:
            return Measure(field.name, "$count")
        case operator, Variable("CURRENT", path) if operator in MEASURES and path:
            return Measure(field.name, operator, path)
    return None
