"""Pipelines as updates: the document that comes out replaces the one that went in.

One rule: an update makes one document of one, so only stages that do are allowed, and the identity stays as it is.
"""

from collections.abc import Callable

from msgspec import Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.editing import with_json_numbers
from rollbook.documents.ordering import equal
from rollbook.documents.values import MISSING, Document, Value
from rollbook.errors import IdImmutable, UpdateRefused, WorkExceeded
from rollbook.language import foreign
from rollbook.language.pipelines.operators import Parsing, Pipeline, Running
from rollbook.language.pipelines.running import compile_stages
from rollbook.language.pipelines.stages import named_stage, parse_stages
from rollbook.language.pipelines.table import STAGES
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget


class UpdateStages(Struct, frozen=True):
    """A parsed pipeline update, and the name of the field that it can't change."""

    pipeline: Pipeline
    identity: str


def parse_update_stages(
    json: Value, *, at: str = "", identity: str = "id", limits: Limits = DEFAULT_LIMITS
) -> UpdateStages:
    """The pipeline update that the array ``json`` writes, of ``$set $unset $project $replaceRoot`` and aliases."""
    parsing = Parsing(at, identity, STAGES, limits)
    for place, stage in enumerate(json if isinstance(json, list) else []):
        name, _ = named_stage(stage, parsing.below(place))
        if name in foreign.STAGES or (name in STAGES and not STAGES[name].in_updates):
            allowed = ", ".join(name for name, known in STAGES.items() if known.in_updates)
            why = f"{name} can't be used in an update, only {allowed}"
            raise UpdateRefused(why, at=parsing.pointer(place, name), mongo_code=72)
    return UpdateStages(parse_stages(json, parsing), identity)


def compile_update_stages(stages: UpdateStages, *, work: RequestBudget | None = None) -> Callable[[Document], Document]:
    """The function that gives the document after the update: the very same object when nothing changes.

    It refuses (UpdateRefused) to change the identity; a result without one gets it back, as its first field.
    """
    run = compile_stages(stages.pipeline, Running(work or RequestBudget()))
    identity = stages.identity

    def updated(document: Document) -> Document:
        try:
            (result,) = run([document])
            result = _identified(result, document, identity)
            return document if encode_json(result) == encode_json(document) else with_json_numbers(result, document)
        except RecursionError:
            raise WorkExceeded("the update makes a document that is nested too deeply", mongo_code=15) from None

    return updated


def _identified(result: Document, document: Document, identity: str) -> Document:
    before, after = document.get(identity, MISSING), result.get(identity, MISSING)
    if after is MISSING:
        return result if before is MISSING else {identity: before, **result}
    if before is MISSING or not equal(before, after):
        raise IdImmutable(f"the field '{identity}' identifies the document and can't change", mongo_code=66)
    return result
