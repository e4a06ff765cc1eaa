"""Stages that make a new document of each: $project $set $unset $replaceRoot."""

import json
from datetime import UTC, datetime

import pytest

from rollbook.language.pipelines import parse_pipeline
from rollbook.language.pipelines.operators import Running
from rollbook.language.pipelines.running import compile_stages
from rollbook.limits import RequestBudget
from tests.language.pipelines.running import refused_code, results

DOCUMENT = {"id": 1, "a": {"b": 2, "c": 3}, "list": [{"b": 4}, 5, [{"b": 6}]], "n": 8}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, DOCUMENT),
        ({"n": 9}, {**DOCUMENT, "n": 9}),  # in its place
        ({"x": 0, "y": False}, {**DOCUMENT, "x": 0, "y": False}),
        ({"n": "$a", "a": "$n"}, {**DOCUMENT, "a": 8, "n": {"b": 2, "c": 3}}),
        ({"a": {"d": 4}}, {**DOCUMENT, "a": {"b": 2, "c": 3, "d": 4}}),  # an object goes on with the path
        ({"a": {}}, {**DOCUMENT, "a": {}}),  # but an empty one is a value
        ({"a": {"$literal": {"d": 4}}}, {**DOCUMENT, "a": {"d": 4}}),
        ({"a.b": "$$REMOVE"}, {**DOCUMENT, "a": {"c": 3}}),
        ({"x": "$absent"}, DOCUMENT),
        ({"n": "$absent"}, {"id": 1, "a": {"b": 2, "c": 3}, "list": [{"b": 4}, 5, [{"b": 6}]]}),
        ({"n.x": 1}, {**DOCUMENT, "n": {"x": 1}}),
        ({"list.x": "$n"}, {**DOCUMENT, "list": [{"b": 4, "x": 8}, {"x": 8}, [{"b": 6, "x": 8}]]}),
        ({"list.0": 1}, {**DOCUMENT, "list": [{"b": 4, "0": 1}, {"0": 1}, [{"b": 6, "0": 1}]]}),
    ],
)
def test_set_sets_fields_and_keeps_the_others(fields, expected):
    for name in ("$set", "$addFields"):
        assert json.dumps(results([{name: fields}], [DOCUMENT])) == json.dumps([expected])


@pytest.mark.parametrize(
    ("fields", "code", "at"),
    [
        ([], 40272, ""),
        (None, 40272, ""),
        ({"a": 1, "a.b": 2}, 40176, "/a.b"),
        ({"a.b": 1, "a": 2}, 40176, "/a"),
        ({"a": {"b": 1}, "a.b": 2}, 40176, "/a.b"),
        ({"": 1}, 40352, "/"),
        ({"a.": 1}, 40353, "/a."),
        ({"$.": 1}, 40353, "/$."),
        ({"a.$b": 1}, 16410, "/a.$b"),
        ({".a": 1}, 15998, "/.a"),
        ({"a": {"b.c": 1}}, 40183, "/a/b.c"),
        ({"a": {"$add": [1], "$abs": 1}}, 40181, "/a"),
        ({"a": {"b": 1, "$add": [1]}}, 40181, "/a"),
        ({"a": {"$nothing": 1}}, 168, "/a/$nothing"),
        ({"a": {"b": {"$nothing": 1}}}, 168, "/a/b/$nothing"),
        ({"a": {"b": {"": 1}}}, 40352, "/a/b/"),
        ({"a": {"b": {"c": {"$add": [1], "$abs": 1}}}}, 40181, "/a/b/c"),
        ({".".join("a" * 200): {"b": 1}}, 15, f"/{'.'.join('a' * 200)}/b"),
        ({"a": "$$nothing"}, 17276, "/a"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(fields, code, at):
    assert refused_code([{"$set": fields}]) == (code, f"/0/$set{at}")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("n", {"id": 1, "a": {"b": 2, "c": 3}, "list": [{"b": 4}, 5, [{"b": 6}]]}),
        (["n", "list", "absent"], {"id": 1, "a": {"b": 2, "c": 3}}),
        (["a.b", "list", "n"], {"id": 1, "a": {"c": 3}}),
        (["list.b", "a", "n"], {"id": 1, "list": [{}, 5, [{}]]}),
        (["list.0", "a", "n"], {"id": 1, "list": [{"b": 4}, 5, [{"b": 6}]]}),
        (["id", "a", "list"], {"n": 8}),
    ],
)
def test_unset_removes_paths(paths, expected):
    assert results([{"$unset": paths}], [DOCUMENT]) == [expected]


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        ({"a": 1}, 31002),
        (5, 31002),
        ([], 31119),
        (["a", 5], 31120),
        ("", 40352),
        (["$a"], 16410),
        (["a", "a.b"], 31249),
        (["a.b", "a"], 31250),
    ],
)
def test_an_unset_that_makes_no_sense_is_refused(paths, code):
    assert refused_code([{"$unset": paths}])[0] == code


def test_project_keeps_both_a_documents_identity_and_a_groups_key():
    documents = [{"id": 1, "_id": 2, "a": 3, "b": 4}]
    assert results([{"$project": {"a": 1}}], documents) == [{"id": 1, "_id": 2, "a": 3}]
    assert results([{"$project": {"_id": 0, "a": 1}}], documents) == [{"id": 1, "a": 3}]
    assert results([{"$project": {"id": 0, "_id": 0, "a": {"$add": ["$a", "$b"]}}}], documents) == [{"a": 7}]


@pytest.mark.parametrize("stage", [{"$replaceRoot": {"newRoot": "$a"}}, {"$replaceWith": "$a"}])
def test_a_document_is_replaced_by_an_object(stage):
    assert results([stage], [DOCUMENT]) == [{"b": 2, "c": 3}]
    assert refused_code([stage], [{"a": [{"b": 2}]}])[0] == 40228
    assert refused_code([stage], [{}])[0] == 40228


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ({"$replaceRoot": "$a"}, 40229),
        ({"$replaceRoot": {}}, 40414),
        ({"$replaceRoot": {"newRoot": "$a", "more": 1}}, 40415),
        ({"$replaceWith": {"a": 1, "$b": 2}}, 16410),
    ],
)
def test_a_replacement_that_makes_no_sense_is_refused(stage, code):
    assert refused_code([stage])[0] == code


@pytest.mark.parametrize(
    "stage",
    [
        {"$set": {"t": "$$NOW"}},
        {"$project": {"t": "$$NOW"}},
        {"$replaceWith": {"t": "$$NOW"}},
        {"$group": {"_id": None, "t": {"$first": "$$NOW"}}},
        {"$match": {"$expr": {"$eq": ["$t", "$$NOW"]}}},
        {"$match": {"$or": [{"n": 1}, {"n": {"$exists": False}, "$nor": [{"$expr": {"$ne": ["$t", "$$NOW"]}}]}]}},
        {"$facet": {"f": [{"$match": {"$expr": {"$eq": ["$t", "$$NOW"]}}}]}},
    ],
)
def test_all_stages_see_one_time(stage):
    running = Running(RequestBudget(), now=datetime(2001, 2, 3, 4, 5, tzinfo=UTC))
    run = compile_stages(parse_pipeline([stage]), running)
    [document] = run([{"t": "2001-02-03T04:05:00.000Z"}])
    assert [shown["t"] for shown in document.get("f", [document])] == ["2001-02-03T04:05:00.000Z"]


@pytest.mark.parametrize("key", ["id", "key"])
def test_project_keeps_the_identity_that_the_request_has(key):
    assert results([{"$project": {"a": 1}}], [{key: 1, "a": 2, "b": 3}], identity=key) == [{key: 1, "a": 2}]
    assert results([{"$project": {"a": 1}}], [{key: 1, "a": 2, "b": 3}], identity="other") == [{"a": 2}]
