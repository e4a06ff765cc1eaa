"""JSON to stages: what is common to all. With the stages' own ``parse``, the only place that refuses a pipeline.

One rule: a stage is an object of one field, the stage's name.
"""

from rollbook.documents.values import Value
from rollbook.language.pipelines.operators import Parsing, Pipeline, RefusedStage, Stage, StageOperator
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
    operator, argument = stage_operator(json, parsing)
    if isinstance(operator, RefusedStage):
        raise parsing.refused(115, f"{operator.name}: {operator.why}", operator.name)
    return Stage(operator, operator.parse(argument, parsing.below(operator.name)))


def stage_operator(json: Value, parsing: Parsing) -> tuple[StageOperator | RefusedStage, Value]:
    """The operator of a stage, and its argument."""
    if not isinstance(json, dict):
        raise parsing.refused(14, "a stage is an object of one field, the stage's name")
    if len(json) != 1:
        raise parsing.refused(40323, f"a stage is an object of one field, the stage's name, not of {len(json)}")
    ((name, argument),) = json.items()
    operator = parsing.stages.get(name)
    if operator is None:
        raise parsing.refused(40324, f"there is no stage '{name}'", name)
    return operator, argument
