"""Stages that put documents together by a value: $group $count $sortByCount."""

import pytest

from tests.language.pipelines.running import refused_code, results

CLUSTERS = [
    {"id": "a", "region": "west", "gpus": 2},
    {"id": "b", "region": "east", "gpus": 4},
    {"id": "c", "region": "west", "gpus": 8},
    {"id": "d", "gpus": 1},
    {"id": "e", "region": None, "gpus": 1},
]


def groups(key, documents):
    return {repr(group["_id"]): group["ids"] for group in results([_group(key)], documents)}


def _group(key):
    return {"$group": {"_id": key, "ids": {"$push": "$id"}}}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("$region", {"'west'": ["a", "c"], "'east'": ["b"], "None": ["d", "e"]}),  # null and missing are one
        (None, {"None": ["a", "b", "c", "d", "e"]}),
        ("region", {"'region'": ["a", "b", "c", "d", "e"]}),
        ({"$gt": ["$gpus", 2]}, {"False": ["a", "d", "e"], "True": ["b", "c"]}),
        ({"r": "$region"}, {"{'r': 'west'}": ["a", "c"], "{'r': 'east'}": ["b"], "{'r': None}": ["d", "e"]}),
    ],
)
def test_documents_with_equal_keys_are_a_group(key, expected):
    assert groups(key, CLUSTERS) == expected


def test_keys_are_equal_as_mongodb_sees_it():
    keys = [1, 1.0, True, "1", [1], [1.0], {"a": 1, "b": 2}, {"b": 2, "a": 1}, 0, False, None]
    documents = [{"id": place, "k": key} for place, key in enumerate(keys)]
    assert list(groups("$k", documents).values()) == [[0, 1], [2], [3], [4, 5], [6], [7], [8], [9], [10]]


def test_groups_come_in_the_order_of_their_first_documents():
    assert [group["_id"] for group in results([_group("$region")], CLUSTERS)] == ["west", "east", None]


def test_no_documents_make_no_group():
    assert results([_group(None)], []) == []
    assert results([{"$count": "n"}], []) == []


@pytest.mark.parametrize(
    ("stage", "code", "at"),
    [
        (5, 15947, ""),
        ({"x": {"$sum": 1}}, 15955, ""),
        ({"_id": None, "x": 5}, 40234, "/x"),
        ({"_id": None, "x": {}}, 40234, "/x"),
        ({"_id": None, "a.b": {"$sum": 1}}, 40235, "/a.b"),
        ({"_id": None, "$a": {"$sum": 1}}, 40236, "/$a"),
        ({"_id": None, "x": {"$sum": [1, 2]}}, 40237, "/x/$sum"),
        ({"_id": None, "x": {"$sum": []}}, 40237, "/x/$sum"),
        ({"_id": None, "x": {"$sum": 1, "$avg": 1}}, 40238, "/x"),
        ({"_id": None, "x": {"$nothing": 1}}, 15952, "/x/$nothing"),
        ({"_id": None, "x": {"y": 1}}, 15952, "/x/y"),
        ({"_id": {"$nothing": 1}}, 168, "/_id/$nothing"),
        ({"_id": None, "x": {"$push": "$"}}, 16872, "/x/$push"),
        ({"_id": None, "x": {"$push": {"$add": [1], "$abs": 1}}}, 15983, "/x/$push"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(stage, code, at):
    assert refused_code([{"$group": stage}]) == (code, f"/0/$group{at}")


def test_what_an_accumulator_can_not_evaluate_is_refused():
    stage = {"$group": {"_id": None, "x": {"$sum": {"$toInt": "$region"}}}}
    assert refused_code([stage], CLUSTERS) == (241, "/0/$group/x/$sum/$toInt")


def test_count_gives_the_number_of_documents():
    assert results([{"$match": {"gpus": {"$gt": 1}}}, {"$count": "large"}], CLUSTERS) == [{"large": 3}]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (5, 40156),
        ({}, 40156),
        ("", 40157),
        ("$n", 40158),
        ("$.", 40158),
        ("a\0.", 40159),
        ("a.b", 40160),
        ("_id", 9039800),
    ],
)
def test_a_count_needs_the_name_of_a_field(name, code):
    assert refused_code([{"$count": name}])[0] == code


def test_sort_by_count_puts_the_most_frequent_first():
    documents = [{"a": x} for x in ("one", "two", "three", "two", "three", "three")] + [{}]
    expected = [("three", 3), ("two", 2), ("one", 1), (None, 1)]
    assert [(group["_id"], group["count"]) for group in results([{"$sortByCount": "$a"}], documents)] == expected
    longer = [{"$sortByCount": {"$gt": [{"$strLenCP": "$a"}, 3]}}]
    assert results(longer, documents[:-1]) == [{"_id": False, "count": 3}, {"_id": True, "count": 3}]


@pytest.mark.parametrize(("stage", "code"), [("a", 40148), ({"a": 1}, 40147), ({}, 40147), (5, 40149), (None, 40149)])
def test_sort_by_count_needs_an_expression(stage, code):
    assert refused_code([{"$sortByCount": stage}])[0] == code


def test_the_only_field_of_a_key_is_null_where_it_is_missing():
    documents = [{}, {"team": None}, {"team": 1, "x": 2}]
    assert results([{"$group": {"_id": {"team": "$team"}}}], documents) == [
        {"_id": {"team": None}},
        {"_id": {"team": 1}},
    ]
    assert results([{"$group": {"_id": {"team": "$team", "x": "$x"}}}], documents) == [
        {"_id": {}},
        {"_id": {"team": None}},
        {"_id": {"team": 1, "x": 2}},
    ]
    assert results([{"$group": {"_id": {"team": {"x": "$x"}}}}], documents) == [
        {"_id": {"team": {}}},
        {"_id": {"team": {"x": 2}}},
    ]


@pytest.mark.parametrize("value", [1, 0, 1.5, True, False])
def test_a_key_includes_nothing(value):
    assert refused_code([{"$group": {"_id": {"a": "$status", "b": value}}}]) == (17390, "/0/$group/_id/b")
