"""Pipelines that begin by counting: which do, and that the counts may come from elsewhere."""

import pytest

from rollbook.language.pipelines import parse_pipeline, run_pipeline
from rollbook.language.pipelines.tallies import leading_tally
from rollbook.limits import RequestBudget

COUNTING = {"$group": {"_id": "$a.b", "n": {"$sum": 1}}}


@pytest.mark.parametrize(
    ("pipeline", "path", "names"),
    [
        ([COUNTING], ("a", "b"), ("n",)),
        ([{"$match": {"c": 1}}, COUNTING], ("a", "b"), ("n",)),
        ([{"$group": {"_id": "$a"}}], ("a",), ()),
        ([{"$group": {"_id": "$a", "n": {"$count": {}}, "m": {"$sum": 1}}}], ("a",), ("n", "m")),
    ],
)
def test_a_pipeline_that_begins_by_counting_is_recognised(pipeline, path, names):
    tally = leading_tally(parse_pipeline(pipeline))
    assert tally is not None
    assert (tally.path, tally.names, tally.rest.stages) == (path, names, ())


def test_the_rest_of_the_pipeline_is_left_to_run():
    following = [{"$match": {"n": 2}}, {"$limit": 1}]
    for before in ([], [{"$match": {"c": 1}}]):
        tally = leading_tally(parse_pipeline([*before, COUNTING, *following]))
        assert tally is not None
        assert tally.rest == parse_pipeline(following)


def test_counts_from_elsewhere_are_what_the_group_gives():
    pipeline = parse_pipeline([{"$group": {"_id": "$a", "n": {"$sum": 1}, "m": {"$count": {}}}}])
    tally = leading_tally(pipeline)
    assert tally is not None
    given = run_pipeline(pipeline, [{"a": "x"}, {"a": "x"}, {}], work=RequestBudget())
    assert list(tally.documents([("x", 2), (None, 1)])) == given


@pytest.mark.parametrize(
    "pipeline",
    [
        [],
        [{"$match": {}}],
        [{"$match": {}}, {"$match": {}}, COUNTING],
        [{"$limit": 1}, COUNTING],
        [{"$sortByCount": "$a"}],
        [{"$group": {"_id": None, "n": {"$sum": 1}}}],
        [{"$group": {"_id": "a", "n": {"$sum": 1}}}],
        [{"$group": {"_id": "$$ROOT", "n": {"$sum": 1}}}],
        [{"$group": {"_id": "$$NOW", "n": {"$sum": 1}}}],
        [{"$group": {"_id": {"a": "$a"}, "n": {"$sum": 1}}}],
        [{"$group": {"_id": {"$abs": "$a"}, "n": {"$sum": 1}}}],
        [{"$group": {"_id": "$a", "n": {"$sum": 2}}}],
        [{"$group": {"_id": "$a", "n": {"$sum": 1.0}}}],  # a sum of doubles is a double
        [{"$group": {"_id": "$a", "n": {"$sum": True}}}],
        [{"$group": {"_id": "$a", "n": {"$sum": "$b"}}}],
        [{"$group": {"_id": "$a", "n": {"$avg": 1}}}],
        [{"$group": {"_id": "$a", "n": {"$sum": 1}, "all": {"$push": "$b"}}}],
    ],
)
def test_a_pipeline_that_begins_otherwise_is_not(pipeline):
    assert leading_tally(parse_pipeline(pipeline)) is None
