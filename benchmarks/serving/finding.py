"""How long Rollbook's indexes take to find: plan and candidates, in the process, without HTTP and without encoding.

    python -m benchmarks.serving.finding DATA-DIRECTORY FILTERS.json

FILTERS.json is an object of arrays of filters. Prints an object of the same keys: the median milliseconds over all
filters of the best of some rounds, and how many of the plans were exact.
"""

import asyncio
import sys
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import orjson

from rollbook.assembly import open_registry
from rollbook.collecting import settle_garbage_collection
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading.requests import parse_query
from rollbook.settings import Settings
from rollbook.view.views import View

ROUNDS = 5


async def main(data: str, file: str) -> None:
    """Measure, and print."""
    async with open_registry(Settings(data=Path(data))) as registry:
        settle_garbage_collection()
        kinds = orjson.loads(Path(file).read_bytes())
        figures = {name: measured(registry.view, filters) for name, filters in kinds.items()}
    sys.stdout.buffer.write(orjson.dumps(figures))


def measured(view: View, filters: list[Any]) -> dict[str, float]:
    """The figures of one kind of filter."""
    queries = [parse_query({"query": filter}, limits=DEFAULT_LIMITS) for filter in filters]
    plans = [view.plan(query.filter) for query in queries]
    times = [min(find_ms(view, query.filter) for _ in range(ROUNDS)) for query in queries]
    return {
        "median_ms": median(times),
        "slowest_ms": max(times),
        "found": mean(len(view.select(plan.candidates)) for plan in plans),
        "exact": mean(plan.exact for plan in plans),
    }


def find_ms(view: View, filter: Any) -> float:
    """The milliseconds that the plan and its candidates take."""
    began = time.perf_counter()
    view.select(view.plan(filter).candidates)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
