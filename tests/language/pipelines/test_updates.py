"""Pipelines as updates: what they change, what they may not."""

import json

import pytest

from rollbook.limits import Limits
from tests.language.pipelines.running import update_refused_code, updated

DOCUMENT = {"id": "west", "gpus": {"count": 2, "memory": 80}, "tags": ["a"]}


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([{"$set": {"gpus.count": {"$add": ["$gpus.count", 1]}}}], {**DOCUMENT, "gpus": {"count": 3, "memory": 80}}),
        ([{"$set": {"gpus": {}}}], {**DOCUMENT, "gpus": {}}),
        ([{"$addFields": {"a": 1}}, {"$set": {"b": {"$add": ["$a", 1]}}}, {"$unset": "a"}], {**DOCUMENT, "b": 2}),
        ([{"$unset": ["gpus", "tags"]}], {"id": "west"}),
        ([{"$project": {"tags": 1}}], {"id": "west", "tags": ["a"]}),
        ([{"$project": {"id": 0, "tags": 1}}], {"id": "west", "tags": ["a"]}),  # the identity comes back
        ([{"$replaceWith": "$gpus"}], {"id": "west", "count": 2, "memory": 80}),
        ([{"$replaceRoot": {"newRoot": {"x": "$tags", "id": "west"}}}], {"x": ["a"], "id": "west"}),
        ([], DOCUMENT),
    ],
)
def test_a_pipeline_updates_a_document(stages, expected):
    assert json.dumps(updated(DOCUMENT, stages)) == json.dumps(expected)


@pytest.mark.parametrize(
    "stages",
    [[], [{"$set": {"tags": ["a"]}}], [{"$unset": "absent"}], [{"$replaceWith": "$$ROOT"}], [{"$unset": "id"}]],
)
def test_an_update_that_changes_nothing_gives_the_very_same_document(stages):
    assert updated(DOCUMENT, stages) is DOCUMENT


@pytest.mark.parametrize(
    ("document", "stages"),
    [
        ({"a": 5}, [{"$set": {"a": 5.0}}]),
        ({"a": {"b": 1, "c": 2}}, [{"$replaceWith": {"a": {"c": 2, "b": 1}}}]),
    ],
)
def test_another_type_or_order_is_a_change(document, stages):
    assert json.dumps(updated(document, stages)) != json.dumps(document)


@pytest.mark.parametrize(
    "stage",
    [
        {"$set": {"id": "east"}},
        {"$set": {"id": {"x": 1}}},
        {"$replaceWith": {"id": None}},
        {"$project": {"id": "$tags"}},
    ],
)
def test_the_identity_can_not_change(stage):
    assert update_refused_code(DOCUMENT, [stage])[0] == 66


def test_a_document_without_an_identity_gets_none():
    assert updated({"a": 1}, [{"$set": {"a": 2}}]) == {"a": 2}
    assert update_refused_code({"a": 1}, [{"$set": {"id": 1}}])[0] == 66


def test_an_identity_that_is_equal_may_be_set():
    assert updated({"id": 1}, [{"$set": {"id": 1.0}}], identity="id") == {"id": 1.0}
    assert updated({"key": 1, "id": 2}, [{"$set": {"id": 3}}], identity="key") == {"key": 1, "id": 3}


@pytest.mark.parametrize(
    "stage",
    [
        {"$match": {}},
        {"$group": {"_id": None}},
        {"$limit": 1},
        {"$facet": {"a": []}},
        {"$lookup": {}},
        {"$out": "x"},
        {"$redact": "$$KEEP"},
    ],
)
def test_a_stage_that_does_not_make_one_document_of_one_is_refused(stage):
    [name] = stage
    assert update_refused_code(DOCUMENT, [{"$set": {}}, stage]) == (72, f"/1/{name}")


@pytest.mark.parametrize(
    ("stages", "code", "at"),
    [
        ([{"$nothing": 1}], 40324, "/0/$nothing"),
        ([{"$set": {}, "$unset": "a"}], 40323, "/0"),
        ([5], 14, "/0"),
        ([{"$set": {"a": 1, "a.b": 1}}], 40176, "/0/$set/a.b"),
        ([{"$set": {}}] * 1001, 7749501, ""),
        (5, 14, ""),
        ({"$match": {}}, 14, ""),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(stages, code, at):
    assert update_refused_code(DOCUMENT, stages) == (code, at)


def test_an_update_has_the_limits_of_the_request():
    stages = [{"$set": {"x": {"$abs": {"$abs": {"$abs": "$gpus.count"}}}}}]
    assert update_refused_code(DOCUMENT, stages, limits=Limits(expression_depth_max=2))[0] == 15


def test_an_update_that_can_not_be_evaluated_says_where():
    assert update_refused_code(DOCUMENT, [{"$set": {"x": {"$add": ["$id", 1]}}}]) == (14, "/0/$set/x/$add")


def test_a_document_holds_the_integers_of_json():
    stages = [{"$set": {"a": {"$toLong": "5"}, "b.c": [{"$toLong": 6}, {"d": {"$toLong": 7}}]}}]
    document = {"id": "west", "b": {"c": [6], "e": [1]}}
    after = updated(document, stages)
    assert after == {"id": "west", "b": {"c": [6, {"d": 7}], "e": [1]}, "a": 5}
    assert {type(each) for each in (after["a"], after["b"]["c"][0], after["b"]["c"][1]["d"])} == {int}
    assert after["b"]["e"] is document["b"]["e"]
