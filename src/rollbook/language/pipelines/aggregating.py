"""Pipelines over many documents: JSON in, documents out.

One rule: a pipeline is parsed wholly before any document goes through it.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random, SystemRandom

from msgspec.structs import replace

from rollbook.documents.values import Document, Value
from rollbook.errors import WorkExceeded
from rollbook.language.filters import Filter
from rollbook.language.pipelines.operators import Parsing, Pipeline, Running
from rollbook.language.pipelines.running import compile_stages
from rollbook.language.pipelines.stages import parse_stages
from rollbook.language.pipelines.table import STAGES
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget


def parse_pipeline(json: Value, *, at: str = "", identity: str = "id", limits: Limits = DEFAULT_LIMITS) -> Pipeline:
    """The pipeline that ``json`` writes: an array of stages.

    ``$project`` keeps the field ``identity`` unless it is excluded. Groups have their key in ``_id``, as in MongoDB.
    """
    return parse_stages(json, Parsing(at, identity, STAGES, limits))


def leading_filter(pipeline: Pipeline) -> Filter | None:
    """The filter of the ``$match`` that the pipeline begins with; None when it begins with something else."""
    if pipeline.stages and pipeline.stages[0].operator.name == "$match":
        filter: Filter = pipeline.stages[0].parts
        return filter
    return None


def with_whole_filters(pipeline: Pipeline, read: Callable[[Filter], Filter]) -> Pipeline:
    """The pipeline with each ``$match`` as ``read`` has it that still sees documents as they are stored.

    That is every one before the first stage that makes other documents, and in the pipelines of a ``$facet`` there.
    """
    stages = list(pipeline.stages)
    for place, stage in enumerate(stages):
        if stage.operator.name == "$match":
            stages[place] = replace(stage, parts=read(stage.parts))
        elif stage.operator.name == "$facet":
            facets = [replace(facet, pipeline=with_whole_filters(facet.pipeline, read)) for facet in stage.parts]
            stages[place] = replace(stage, parts=tuple(facets))
        if stage.operator.name not in PASSING_STAGES:
            break
    return Pipeline(tuple(stages))


def run_pipeline(
    pipeline: Pipeline, documents: Iterable[Document], *, work: RequestBudget, random: Random | None = None
) -> list[Document]:
    """What comes out when ``documents`` go through the pipeline, held and counted: see ``stream_pipeline``."""
    return list(Running(work).hold(stream_pipeline(pipeline, documents, work=work, random=random)))


def stream_pipeline(
    pipeline: Pipeline, documents: Iterable[Document], *, work: RequestBudget, random: Random | None = None
) -> Iterator[Document]:
    """What comes out when ``documents`` go through the pipeline, one by one. ``random`` chooses for ``$sample``.

    Refuses (LanguageRefused) what can't be evaluated on these documents, and what takes more than ``work`` allows.
    """
    running = Running(work, random or SystemRandom())
    try:
        yield from compile_stages(pipeline, running)(documents)
    except RecursionError:
        raise WorkExceeded("the pipeline makes a value that is nested too deeply", mongo_code=15) from None


PASSING_STAGES = frozenset({"$match", "$sort", "$skip", "$limit", "$sample"})
"""Stages that choose and order documents, and leave them as they are."""
