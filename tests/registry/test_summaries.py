"""How a query is answered, in one sentence."""

import pytest
from pyroaring import BitMap

from rollbook.registry.reading.summaries import summary_of
from rollbook.view.planning.plans import Plan


@pytest.mark.parametrize(
    ("exact", "candidates", "summary"),
    [
        (True, 0, "the indexes leave none of 3 documents: nothing matches"),
        (False, 0, "the indexes leave none of 3 documents: nothing matches"),
        (True, 2, "the indexes leave 2 of 3 documents; every one of them matches"),
        (False, 2, "the indexes leave 2 of 3 documents; each of them is looked at"),
        (False, 3, "all 3 documents are looked at: the indexes do not narrow this filter"),
    ],
)
def test_a_summary_says_what_the_indexes_leave(exact: bool, candidates: int, summary: str) -> None:
    plan = Plan(BitMap(range(candidates)), exact=exact)
    assert summary_of(plan, candidates, 3, reads_registry=False) == summary
