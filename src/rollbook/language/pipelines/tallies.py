"""Pipelines that begin by counting: ``$group`` by a path, with nothing but counts.

One rule: what is recognised here is counted as ``$group`` would; so what can count without looking at documents may
do it in its place, and only the rest of the pipeline is left to run.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.language.expressions.nodes import Constant, Variable
from rollbook.language.pipelines.accumulators import Field
from rollbook.language.pipelines.operators import Pipeline


class Tally(Struct, frozen=True):
    """Groups by the value at ``path``, of which the fields ``names`` are counts, and the pipeline after them."""

    path: Path
    names: tuple[str, ...]
    rest: Pipeline

    def documents(self, counts: Iterable[tuple[Value, int]]) -> Iterator[Document]:
        """What ``$group`` gives for each value and its number of documents."""
        for value, count in counts:
            yield {"_id": value, **dict.fromkeys(self.names, count)}


def leading_tally(pipeline: Pipeline) -> Tally | None:
    """The counting that the pipeline begins with, after its leading ``$match``; None when it begins otherwise."""
    stages = pipeline.stages
    if stages and stages[0].operator.name == "$match":
        stages = stages[1:]
    if not stages or stages[0].operator.name != "$group":
        return None
    parts = stages[0].parts
    if parts.collation is not None:
        return None
    match parts.key:
        case Variable("CURRENT", path) if path and all(map(_counts, parts.fields)):
            return Tally(path, tuple(field.name for field in parts.fields), Pipeline(stages[1:]))
    return None


def _counts(field: Field) -> bool:
    match field.accumulator.name, field.parts:
        case "$count", _:
            return True
        case "$sum", Constant(value):
            return type(value) is int and value == 1
    return False
