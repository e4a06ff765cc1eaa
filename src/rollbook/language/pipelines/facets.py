"""The stage ``$facet``: several pipelines over the same documents.

One rule: no pipeline sees what another one does; each gets all documents, in their order.
"""

from collections.abc import Iterator

from msgspec import Struct

from rollbook.documents.values import Document, Value
from rollbook.language import foreign
from rollbook.language.pipelines.operators import Documents, Parsing, Pipeline, Run, Running, StageOperator
from rollbook.language.pipelines.running import compile_stages
from rollbook.language.pipelines.stages import parse_stages


class Facet(Struct, frozen=True):
    """A field of the result, and the pipeline that makes it."""

    name: str
    pipeline: Pipeline


def parse_facet(json: Value, parsing: Parsing) -> tuple[Facet, ...]:
    """The fields of ``$facet`` and their pipelines."""
    if not isinstance(json, dict) or not json:
        raise parsing.refused(40169, "$facet takes an object of fields and pipelines")
    return tuple([_facet(name, pipeline, parsing) for name, pipeline in json.items()])


def _facet(name: str, json: Value, parsing: Parsing) -> Facet:
    if not name:
        raise parsing.refused(15998, "the name of a facet can't be empty", name)
    if name[0] == "$":
        raise parsing.refused(16410, "the name of a facet doesn't begin with '$'", name)
    if "." in name:
        raise parsing.refused(16412, "the name of a facet has no dot", name)
    if not isinstance(json, list):
        raise parsing.refused(40170, "a facet is a pipeline: an array of stages", name)
    for place, stage in enumerate(json):
        if not isinstance(stage, dict):
            raise parsing.refused(40171, "a stage is an object", name, place)
        stage_name = next(iter(stage), "")
        operator = parsing.stages.get(stage_name)
        if stage_name in foreign.NOT_IN_FACETS:
            why = f"{stage_name} can't be used inside of $facet, nor elsewhere: {foreign.STAGES[stage_name]}"
            raise parsing.refused(40600, why, name, place)
        if operator is not None and not operator.in_facets:
            raise parsing.refused(40600, f"{operator.name} can't be used inside of $facet", name, place)
    return Facet(name, parse_stages(json, parsing.below(name)))


def faceting(parts: tuple[Facet, ...], running: Running) -> Run:
    """Gives one document with the results of several pipelines over the same documents, each in a field of its own."""

    runs = [(facet.name, compile_stages(facet.pipeline, running)) for facet in parts]

    def run(documents: Documents) -> Iterator[Document]:
        held = list(running.hold(documents))
        yield {name: list(running.hold(run_facet(held))) for name, run_facet in runs}

    return run


STAGES = (StageOperator("$facet", parse_facet, faceting, in_facets=False),)
