"""Where a refusal points: at the part of the stage that is wrong, below the stage's place in the pipeline."""

import pytest

from rollbook.limits import Limits
from tests.language.pipelines.running import refused_code

BAD = {"$betwen": []}
METHOD = {"input": "$v", "method": "approximate"}
BUCKET = {"groupBy": "$v", "boundaries": [0, 10]}
AUTO = {"groupBy": "$v", "buckets": 2}


@pytest.mark.parametrize(
    ("accumulator", "at"),
    [
        (5, ""),
        ({"$nothing": 1}, "/$nothing"),
        ({"$accumulator": {}}, "/$accumulator"),
        ({"$sum": BAD}, "/$sum/$betwen"),
        ({"$count": 1}, "/$count"),
        ({"$firstN": {"input": BAD, "n": 1}}, "/$firstN/input/$betwen"),
        ({"$firstN": {"input": 1, "n": BAD}}, "/$firstN/n/$betwen"),
        ({"$topN": {"sortBy": {"v": 1}, "output": 1, "n": BAD}}, "/$topN/n/$betwen"),
        ({"$top": {"sortBy": 5, "output": 1}}, "/$top/sortBy"),
        ({"$top": {"sortBy": {"v": 2}, "output": 1}}, "/$top/sortBy/v"),
        ({"$top": {"sortBy": {"v": 1}, "output": BAD}}, "/$top/output/$betwen"),
        ({"$percentile": {**METHOD, "p": 0.5}}, "/$percentile/p"),
        ({"$percentile": {**METHOD, "p": [0.5, 1.5]}}, "/$percentile/p/1"),
        ({"$percentile": {**METHOD, "p": [0.5], "more": 1}}, "/$percentile/more"),
        ({"$median": {"input": 1, "method": "exact"}}, "/$median/method"),
        ({"$median": {"input": BAD, "method": "approximate"}}, "/$median/input/$betwen"),
    ],
)
def test_an_accumulator_is_refused_where_it_stands(accumulator, at):
    for stage, place in (
        ({"$group": {"_id": None, "x": accumulator}}, "/1/$group/x"),
        ({"$bucket": {**BUCKET, "output": {"x": accumulator}}}, "/1/$bucket/output/x"),
        ({"$bucketAuto": {**AUTO, "output": {"x": accumulator}}}, "/1/$bucketAuto/output/x"),
    ):
        assert refused_code([{"$match": {}}, stage])[1] == place + at


@pytest.mark.parametrize(
    ("stage", "at"),
    [
        ({"$group": 5}, ""),
        ({"$group": {}}, ""),
        ({"$group": {"_id": BAD}}, "/_id/$betwen"),
        ({"$group": {"_id": 1, "a.b": {"$sum": 1}}}, "/a.b"),
        ({"$bucket": {**BUCKET, "groupBy": "v"}}, "/groupBy"),
        ({"$bucket": {**BUCKET, "groupBy": BAD}}, "/groupBy/$betwen"),
        ({"$bucket": {**BUCKET, "boundaries": 5}}, "/boundaries"),
        ({"$bucket": {**BUCKET, "boundaries": [0]}}, "/boundaries"),
        ({"$bucket": {**BUCKET, "boundaries": [0, "$v"]}}, "/boundaries/1"),
        ({"$bucket": {**BUCKET, "boundaries": [0, BAD]}}, "/boundaries/1/$betwen"),
        ({"$bucket": {**BUCKET, "default": BAD}}, "/default/$betwen"),
        ({"$bucket": {**BUCKET, "boundaries": [0, 5, "x"]}}, "/boundaries/2"),
        ({"$bucket": {**BUCKET, "boundaries": [0, 5, 5]}}, "/boundaries/2"),
        ({"$bucket": {**BUCKET, "default": "$v"}}, "/default"),
        ({"$bucket": {**BUCKET, "default": 5}}, "/default"),
        ({"$bucket": {**BUCKET, "output": 5}}, "/output"),
        ({"$bucketAuto": {**AUTO, "groupBy": "v"}}, "/groupBy"),
        ({"$bucketAuto": {**AUTO, "buckets": "2"}}, "/buckets"),
        ({"$bucketAuto": {**AUTO, "buckets": 0}}, "/buckets"),
        ({"$bucketAuto": {**AUTO, "buckets": 2.5}}, "/buckets"),
        ({"$bucketAuto": {**AUTO, "output": {"_id": {"$sum": 1}}}}, "/output/_id"),
        ({"$bucketAuto": {**AUTO, "output": 5}}, "/output"),
        ({"$bucketAuto": {**AUTO, "granularity": 5}}, "/granularity"),
        ({"$bucketAuto": {**AUTO, "granularity": "R6"}}, "/granularity"),
        ({"$bucketAuto": {**AUTO, "more": 5}}, "/more"),
        ({"$sample": 5}, ""),
        ({"$sample": {"size": "5"}}, "/size"),
        ({"$sample": {"size": 0}}, "/size"),
        ({"$sample": {"size": 1, "more": 1}}, "/more"),
        ({"$redact": BAD}, "/$betwen"),
        ({"$redact": "$a"}, ""),
        ({"$replaceRoot": 5}, ""),
        ({"$replaceRoot": {"newRoot": BAD}}, "/newRoot/$betwen"),
        ({"$replaceWith": BAD}, "/$betwen"),
        ({"$replaceWith": "$a"}, ""),
        ({"$limit": 0}, ""),
        ({"$skip": -1}, ""),
        ({"$sort": {}}, ""),
        ({"$sort": {"a": 2}}, "/a"),
        ({"$match": {"a": BAD}}, "/a/$betwen"),
        ({"$unwind": 5}, ""),
        ({"$unwind": "a"}, ""),
        ({"$unwind": {}}, ""),
        ({"$unwind": {"path": "a"}}, "/path"),
        ({"$unwind": {"path": 5}}, "/path"),
        ({"$unwind": {"path": "$a", "includeArrayIndex": "$x"}}, "/includeArrayIndex"),
        ({"$unwind": {"path": "$a", "includeArrayIndex": 5}}, "/includeArrayIndex"),
        ({"$unwind": {"path": "$a", "includeArrayIndex": "x.$y"}}, "/includeArrayIndex"),
        ({"$unwind": {"path": "$a", "preserveNullAndEmptyArrays": 5}}, "/preserveNullAndEmptyArrays"),
        ({"$unwind": {"path": "$a", "more": 5}}, "/more"),
        ({"$facet": 5}, ""),
        ({"$facet": {"a": 5}}, "/a"),
        ({"$facet": {"a": [5]}}, "/a/0"),
        ({"$facet": {"a": [{}]}}, "/a/0"),
        ({"$facet": {"a": [{"$facet": {"b": []}}]}}, "/a/0"),
        ({"$facet": {"a": [{"$match": {}}, {"$limit": 0}]}}, "/a/1/$limit"),
        ({"$facet": {"a.b": []}}, "/a.b"),
        ({"$facet": {"$a": []}}, "/$a"),
        ({"$count": 5}, ""),
        ({"$count": "a.b"}, ""),
        ({"$sortByCount": 5}, ""),
        ({"$sortByCount": BAD}, "/$betwen"),
        ({"$unset": ["a", 5]}, "/1"),
        ({"$unset": ["a", "a.b"]}, "/1"),
        ({"$unset": ["$a"]}, "/0"),
    ],
)
def test_a_stage_is_refused_where_it_is_wrong(stage, at):
    [name] = stage
    assert refused_code([{"$match": {}}, stage], [{"a": 1}])[1] == f"/1/{name}{at}"


@pytest.mark.parametrize("value", ["x", -1])
def test_a_value_without_a_granularity_is_refused_where_the_stage_stands(value):
    stage = {"$bucketAuto": {**AUTO, "granularity": "R5"}}
    assert refused_code([{"$match": {}}, stage], [{"v": value}])[1] == "/1/$bucketAuto"


@pytest.mark.parametrize(
    ("stage", "at"),
    [
        ({"$group": {"_id": {"$exp": "$v"}}}, "/$group/_id"),
        ({"$sortByCount": {"$exp": "$v"}}, "/$sortByCount"),
        ({"$bucketAuto": {**AUTO, "groupBy": {"$exp": "$v"}}}, "/$bucketAuto"),
        ({"$replaceWith": {"a": {"$exp": "$v"}}}, "/$replaceWith"),
        ({"$replaceRoot": {"newRoot": {"a": {"$exp": "$v"}}}}, "/$replaceRoot/newRoot"),
        ({"$set": {"a": {"$exp": "$v"}}}, "/$set/a"),
        ({"$project": {"a": {"$exp": "$v"}}}, "/$project/a"),
    ],
)
def test_a_value_that_is_no_json_is_refused_where_it_is_made(stage, at):
    assert refused_code([{"$match": {}}, stage], [{"v": 1000}]) == (2, f"/1{at}")


DEEP = {"$abs": {"$abs": {"$abs": "$a"}}}


@pytest.mark.parametrize(
    "stage",
    [
        {"$set": {"x": DEEP}},
        {"$project": {"x": DEEP}},
        {"$match": {"$expr": DEEP}},
        {"$group": {"_id": DEEP}},
        {"$group": {"_id": None, "x": {"$sum": DEEP}}},
        {"$redact": DEEP},
        {"$replaceWith": DEEP},
        {"$sortByCount": DEEP},
        {"$bucket": {**BUCKET, "groupBy": DEEP}},
        {"$bucketAuto": {**AUTO, "groupBy": DEEP}},
        {"$facet": {"a": [{"$set": {"x": DEEP}}]}},
    ],
)
def test_the_expressions_of_a_stage_have_the_limits_of_the_request(stage):
    assert refused_code([stage], limits=Limits(expression_depth_max=2))[0] == 15
