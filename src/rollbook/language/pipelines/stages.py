"""JSON to stages: what is common to all. With the stages' own ``parse``, the only place that refuses a pipeline.

One rule: a stage is an object of one field, the stage's name.
"""

from rollbook.documents.values import Value
from rollbook.errors import PipelineRefused
from rollbook.language import foreign
from rollbook.language.pipelines.operators import Parsing, Pipeline, Stage
from rollbook.language.pipelines.ordering import with_bounded_sorts


def parse_stages(json: Value, parsing: Parsing) -> Pipeline:
    """The pipeline that the array ``json`` holds."""
    if not isinstance(json, list):
        raise parsing.refused(14, "a pipeline is an array of stages")
    most = parsing.limits.pipeline_stages_max
    if len(json) > most:
        raise parsing.refused(7749501, f"a pipeline has {most} stages or fewer, not {len(json)}")
    stages = [parse_stage(stage, parsing.below(place)) for place, stage in enumerate(json)]
    return Pipeline(with_bounded_sorts(stages))


def parse_stage(json: Value, parsing: Parsing) -> Stage:
    """The stage that ``json`` is."""
    name, argument = named_stage(json, parsing)
    operator = parsing.stages.get(name)
    if operator is None:
        raise _unknown(name, parsing)
    return Stage(operator, operator.parse(argument, parsing.below(operator.name)))


def named_stage(json: Value, parsing: Parsing) -> tuple[str, Value]:
    """The name of a stage, and its argument."""
    if not isinstance(json, dict):
        raise parsing.refused(14, "a stage is an object of one field, the stage's name")
    if len(json) != 1:
        raise parsing.refused(40323, f"a stage is an object of one field, the stage's name, not of {len(json)}")
    ((name, argument),) = json.items()
    return name, argument


def _unknown(name: str, parsing: Parsing) -> PipelineRefused:
    if name in foreign.STAGES:
        return parsing.refused(115, f"{name}: {foreign.STAGES[name]}", name)
    return parsing.refused(40324, foreign.unknown(name, parsing.stages, "stage"), name)
