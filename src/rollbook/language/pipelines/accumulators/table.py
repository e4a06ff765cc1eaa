"""Every accumulator, by name: the families' tables, merged."""

from rollbook.language.pipelines.accumulators import choosing, collecting, numeric, percentiles, ranking, several
from rollbook.language.pipelines.accumulators.operators import Accumulator

FAMILIES: tuple[tuple[Accumulator, ...], ...] = (
    numeric.ACCUMULATORS,
    choosing.ACCUMULATORS,
    collecting.ACCUMULATORS,
    several.ACCUMULATORS,
    ranking.ACCUMULATORS,
    percentiles.ACCUMULATORS,
)

ACCUMULATORS: dict[str, Accumulator] = {accumulator.name: accumulator for family in FAMILIES for accumulator in family}
