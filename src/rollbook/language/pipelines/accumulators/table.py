"""Every accumulator, by name: the families' tables, merged, and what is refused."""

from rollbook.language.pipelines.accumulators import choosing, collecting, numeric, percentiles, ranking, several
from rollbook.language.pipelines.accumulators.operators import Accumulator, RefusedAccumulator

FAMILIES: tuple[tuple[Accumulator, ...], ...] = (
    numeric.ACCUMULATORS,
    choosing.ACCUMULATORS,
    collecting.ACCUMULATORS,
    several.ACCUMULATORS,
    ranking.ACCUMULATORS,
    percentiles.ACCUMULATORS,
)

REFUSED = (
    RefusedAccumulator("$accumulator", "it runs JavaScript, which this registry does not"),
    RefusedAccumulator("$setUnion", "use $push, and $setUnion in a $set stage after it"),
    RefusedAccumulator("$concatArrays", "use $push, and $concatArrays in a $set stage after it"),
)

ACCUMULATORS: dict[str, Accumulator | RefusedAccumulator] = {
    **{accumulator.name: accumulator for family in FAMILIES for accumulator in family},
    **{refused.name: refused for refused in REFUSED},
}
