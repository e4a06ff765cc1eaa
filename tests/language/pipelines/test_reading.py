"""How pipelines are read: their shape, their stages, and what is refused by name."""

import pytest

from rollbook.language.filters import parse_filter
from rollbook.language.pipelines import leading_filter, parse_pipeline, run_pipeline, with_whole_filters
from rollbook.limits import RequestBudget
from tests.language.pipelines.running import refusal, refused_code, results


@pytest.mark.parametrize(
    ("pipeline", "code", "at"),
    [
        ({}, 14, ""),
        ("$match", 14, ""),
        ([5], 14, "/0"),
        ([{"$match": {}}, None], 14, "/1"),
        ([{}], 40323, "/0"),
        ([{"$limit": 1, "$skip": 1}], 40323, "/0"),
        ([{"match": {}}], 40324, "/0/match"),
        ([{"$limit": 1}, {"$nothing": {}}], 40324, "/1/$nothing"),
        ([{"$match": {}}] * 1001, 7749501, ""),
        ([{"$match": 5}], 15959, "/0/$match"),
        ([{"$match": {"a": {"$nothing": 1}}}], 2, "/0/$match/a/$nothing"),
        ([{"$project": 5}], 15969, "/0/$project"),
        ([{"$project": {}}], 51272, "/0/$project"),
        ([{"$project": {"a.$": 1}}], 31324, "/0/$project/a.$"),
        ([{"$project": {"a": {"$slice": 2}}}], 28667, "/0/$project/a/$slice"),
        ([{"$project": {"a": {"$elemMatch": {"b": 1}}}}], 168, "/0/$project/a/$elemMatch"),
        ([{"$project": {"a.$b": 1}}], 16410, "/0/$project/a.$b"),
    ],
)
def test_a_pipeline_that_makes_no_sense_is_refused(pipeline, code, at):
    assert refused_code(pipeline) == (code, at)


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ({"$lookup": {}}, "one collection"),
        ({"$unionWith": "x"}, "one collection"),
        ({"$graphLookup": {}}, "one collection"),
        ({"$out": "x"}, "use an update"),
        ({"$merge": {}}, "use an update"),
        ({"$geoNear": {}}, "geographic"),
        ({"$setWindowFields": {}}, "windows"),
        ({"$collStats": {}}, "inside of a MongoDB server"),
        ({"$group": {"_id": None, "x": {"$accumulator": {}}}}, "JavaScript"),
    ],
)
def test_a_stage_of_mongodb_that_is_not_here_is_refused_with_the_reason(stage, reason):
    refused = refusal([stage])
    assert refused.mongo_code == 115
    assert reason in refused.message


def test_an_empty_pipeline_passes_all_documents_on():
    assert results([], [{"a": 1}, {}]) == [{"a": 1}, {}]


def test_as_many_stages_as_are_allowed_run():
    assert results([{"$match": {}}] * 500 + [{"$set": {"a": {"$add": ["$a", 1]}}}] * 500, [{"a": 0}]) == [{"a": 500}]


def test_the_filters_that_see_whole_documents_may_be_others():
    pipeline = parse_pipeline([{"$match": {"n": {"$gt": 1}}}, {"$sort": {"n": 1}}, {"$limit": 1}])
    assert leading_filter(pipeline) == parse_filter({"n": {"$gt": 1}})
    other = with_whole_filters(pipeline, lambda _: parse_filter({"n": {"$gt": 2}}))
    assert leading_filter(other) == parse_filter({"n": {"$gt": 2}})
    documents = [{"n": number} for number in (9, 1, 2, 3, 4)]
    assert run_pipeline(pipeline, documents, work=RequestBudget()) == [{"n": 2}]
    assert run_pipeline(other, documents, work=RequestBudget()) == [{"n": 3}]


MATCH, OTHER = {"$match": {"n": 1}}, {"$match": {"n": 2}}


@pytest.mark.parametrize(
    ("stages", "read"),
    [
        ([MATCH, {"$limit": 1}, {"$count": "n"}], [OTHER, {"$limit": 1}, {"$count": "n"}]),
        ([{"$sort": {"n": 1}}, MATCH], [{"$sort": {"n": 1}}, OTHER]),
        ([{"$skip": 1}, {"$sample": {"size": 3}}, MATCH], [{"$skip": 1}, {"$sample": {"size": 3}}, OTHER]),
        ([{"$facet": {"a": [MATCH]}}, MATCH], [{"$facet": {"a": [OTHER]}}, MATCH]),
        ([MATCH, {"$facet": {"a": [{"$unset": "n"}, MATCH]}}], [OTHER, {"$facet": {"a": [{"$unset": "n"}, MATCH]}}]),
        ([{"$set": {"m": 1}}, MATCH], [{"$set": {"m": 1}}, MATCH]),
        ([{"$unwind": "$n"}, MATCH], [{"$unwind": "$n"}, MATCH]),
        ([{"$group": {"_id": "$n"}}, MATCH], [{"$group": {"_id": "$n"}}, MATCH]),
    ],
)
def test_filters_after_a_stage_that_makes_other_documents_stay(stages, read):
    other = with_whole_filters(parse_pipeline(stages), lambda _: parse_filter({"n": 2}))
    assert other == parse_pipeline(read)


@pytest.mark.parametrize("stages", [[], [{"$limit": 1}, {"$match": {"n": 1}}]])
def test_a_pipeline_may_begin_with_no_filter(stages):
    assert leading_filter(parse_pipeline(stages)) is None
