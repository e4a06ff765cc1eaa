"""Pipelines: what MongoDB's aggregation stages mean, over many documents and as updates of one, exactly as it says.

``parse_pipeline`` and ``run_pipeline`` aggregate (``stream_pipeline`` one by one); ``parse_update_stages`` and
``compile_update_stages`` update. A document's own identity is its ``id``; what groups documents puts the group's key
into ``_id``, as MongoDB does.
"""

from rollbook.language.pipelines.aggregating import (
    PASSING_STAGES,
    leading_filter,
    parse_pipeline,
    run_pipeline,
    stream_pipeline,
    with_whole_filters,
)
from rollbook.language.pipelines.operators import Pipeline
from rollbook.language.pipelines.sums import Measure, Sums, leading_sums
from rollbook.language.pipelines.tallies import Tally, leading_tally
from rollbook.language.pipelines.updating import UpdateStages, compile_update_stages, parse_update_stages

__all__ = [
    "PASSING_STAGES",
    "Measure",
    "Pipeline",
    "Sums",
    "Tally",
    "UpdateStages",
    "compile_update_stages",
    "leading_filter",
    "leading_sums",
    "leading_tally",
    "parse_pipeline",
    "parse_update_stages",
    "run_pipeline",
    "stream_pipeline",
    "with_whole_filters",
]
