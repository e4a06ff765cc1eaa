"""Every stage, by name: the families' tables, merged."""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.language.pipelines import auto_buckets, buckets, facets, grouping, ordering, selecting, shaping, unwinding
from rollbook.language.pipelines.operators import StageOperator

FAMILIES: tuple[tuple[StageOperator, ...], ...] = (
    selecting.STAGES,
    ordering.STAGES,
    shaping.STAGES,
    unwinding.STAGES,
    grouping.STAGES,
    buckets.STAGES,
    auto_buckets.STAGES,
    facets.STAGES,
)

STAGES: Mapping[str, StageOperator] = MappingProxyType(
    {operator.name: operator for family in FAMILIES for operator in family}
)
