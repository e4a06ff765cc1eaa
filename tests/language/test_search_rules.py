"""The search server's conditions, as filters."""

from typing import Any

import pytest

from rollbook.errors import FilterRefused
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.language.search_rules import (
    cluster_search_in,
    place_in_search,
    refusals_in_search,
    translate_search,
)
from rollbook.limits import Limits


def condition(operator: str, value: Any, variable: str = "gpus.count") -> dict[str, Any]:
    return {"variable": variable, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("search", "filter"),
    [
        (condition("==", "5"), {"gpus.count": "5"}),
        (condition("==", None), {"gpus.count": None}),
        (condition("==", {"$gt": 1}), {"gpus.count": {"$eq": {"$gt": 1}}}),
        (condition("!=", 5), {"gpus.count": {"$ne": 5}}),
        (condition("IN", [5, "6"]), {"gpus.count": {"$in": [5, "6"]}}),
        (condition("IN", []), {"gpus.count": {"$in": []}}),
        (condition("<", 5), {"gpus.count": {"$lt": 5}}),
        (condition("<=", 5), {"gpus.count": {"$lte": 5}}),
        (condition(">", 5), {"gpus.count": {"$gt": 5}}),
        (condition(">=", 5), {"gpus.count": {"$gte": 5}}),
        (condition("LIKE", "yolo.*"), {"gpus.count": {"$regex": "yolo\\..*"}}),
        (
            {
                "logicalOperator": "AND",
                "conditions": [condition("==", 1), {"logicalOperator": "OR", "conditions": [condition("<", 2)]}],
            },
            {"$and": [{"gpus.count": 1}, {"$or": [{"gpus.count": {"$lt": 2}}]}]},
        ),
    ],
)  # fmt: skip
def test_a_condition_means_a_filter(search: Any, filter: Any) -> None:
    assert translate_search(search) == filter
    parse_filter(filter)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("yolo", "a yolo b", True),
        ("yolo", "YOLO", False),
        ("a*d", "abcd", True),
        ("a*d", "ad", True),
        ("a*d", "da", False),
        ("*", "", True),
        ("", "anything", True),
        ("a.c", "abc", False),
        ("a.c", "a.c", True),
        ("\\^$|?+()[]{}", "x\\^$|?+()[]{}x", True),
        ("^a", "a", False),
        ("a$", "a", False),
        ("[ab]", "a", False),
        ("a{2}", "aa", False),
        ("\\d", "5", False),
        ("(?i)a", "A", False),
        ("a/b-c #é", "a/b-c #é", True),
    ],
)
def test_like_takes_everything_but_the_asterisk_as_it_is(pattern: str, text: str, matches: bool) -> None:
    filter = parse_filter(translate_search(condition("LIKE", pattern, "name")))

    assert compile_filter(filter)({"name": text}) is matches


@pytest.mark.parametrize(
    ("search", "at", "words"),
    [
        (5, "", "expected an object with variable, operator, value"),
        ({}, "", '"variable" is missing'),
        ({"variable": "a", "operator": "=="}, "", '"value" is missing'),
        ({"logicalOperator": "AND"}, "", '"conditions" is missing'),
        ({**condition("==", 1), "not": True}, "/not", "can't stand here"),
        ({"logicalOperator": "AND", "conditions": [], "variable": "a"}, "/variable", "can't stand here"),
        (condition("=", 1), "/operator", "there are ==, !=, IN, <, <=, >, >=, LIKE"),
        (condition("$where", 1), "/operator", "no operator"),
        ({**condition("==", 1), "operator": ["=="]}, "/operator", "no operator"),
        (condition("==", 1, "$where"), "/variable", "no dotted path"),
        (condition("==", 1, "a.$b"), "/variable", "no dotted path"),
        (condition("==", 1, ""), "/variable", "no dotted path"),
        (condition("==", 1, "a..b"), "/variable", "no dotted path"),
        ({**condition("==", 1), "variable": 5}, "/variable", "a dotted path, not a value of type int"),
        (condition("IN", "5"), "/value", "IN takes a list"),
        (condition("IN", None), "/value", "IN takes a list"),
        (condition("LIKE", 5), "/value", "LIKE takes a text"),
        ({"logicalOperator": "NOT", "conditions": []}, "/logicalOperator", "there are AND, OR"),
        ({"logicalOperator": "and", "conditions": []}, "/logicalOperator", "there are AND, OR"),
        ({"logicalOperator": "OR", "conditions": []}, "/conditions", "OR takes at least one condition"),
        ({"logicalOperator": "AND", "conditions": {}}, "/conditions", "conditions is a list"),
        ({"logicalOperator": "AND", "conditions": [condition("==", 1), None]}, "/conditions/1", "expected an object"),
    ],
)
def test_a_refused_condition_says_where_and_why(search: Any, at: str, words: str) -> None:
    with pytest.raises(FilterRefused) as refused:
        translate_search(search)
    assert refused.value.at == at
    assert words in refused.value.message


def nested(levels: int) -> dict[str, Any]:
    search = condition("==", 1)
    for _ in range(levels - 1):
        search = {"logicalOperator": "AND", "conditions": [search]}
    return search


def test_conditions_are_bounded_in_depth_and_number() -> None:
    limits = Limits(filter_depth_max=3, filter_clauses_max=4)
    many = {"logicalOperator": "OR", "conditions": [condition("==", 1)] * 4}

    translate_search(nested(3), limits=limits)
    with pytest.raises(FilterRefused, match="3 levels"):
        translate_search(nested(4), limits=limits)
    with pytest.raises(FilterRefused, match="more than 4 conditions"):
        translate_search(many, limits=limits)


def test_a_search_for_clusters_holds_a_condition() -> None:
    asked = condition("==", 1)

    assert cluster_search_in({"matchType": "cluster", "filter": {"clusterQuery": asked}}, at="/body/values") == (
        asked,
        "/body/values/filter/clusterQuery",
    )
    assert cluster_search_in({"matchType": "cluster", "filter": {"clusterQuery": asked, "clusterMetricsQuery": None}})


@pytest.mark.parametrize(
    ("search", "at"),
    [
        (None, ""),
        ({"filter": {}}, ""),
        ({"matchType": "cluster"}, ""),
        ({"matchType": "block", "filter": {"clusterQuery": {}}}, "/matchType"),
        ({"matchType": "cluster", "filter": 5}, "/filter"),
        ({"matchType": "cluster", "filter": {}}, "/filter"),
        ({"matchType": "cluster", "filter": {"clusterquery": {}}}, "/filter"),
        ({"matchType": "cluster", "filter": {"clusterQuery": {}}, "limit": 5}, "/limit"),
        ({"matchType": "cluster", "filter": {"clusterQuery": {}, "other": {}}}, "/filter/other"),
        (
            {"matchType": "cluster", "filter": {"clusterQuery": {}, "clusterMetricsQuery": {}}},
            "/filter/clusterMetricsQuery",
        ),
        ({"matchType": "cluster", "filter": {"clusterMetricsQuery": {"variable": "a"}}}, "/filter/clusterMetricsQuery"),
        ({"matchType": "cluster", "filter": {"clusterQuery": {}, "blockQuery": {}}}, "/filter/blockQuery"),
    ],
)
def test_a_search_that_can_not_be_answered_whole_is_refused(search: Any, at: str) -> None:
    with pytest.raises(FilterRefused) as refused:
        cluster_search_in(search)
    assert refused.value.at == at


@pytest.mark.parametrize(
    ("at", "place"),
    [
        ("", ""),
        ("/gpus.count/$gt", "/value"),
        ("/gpus.count/$in/5", "/value"),
        ("/$and/0", "/conditions/0"),
        ("/$and/0/$or/12/memory/$gt", "/conditions/0/conditions/12/value"),
        ("/$and/0/$orders", "/conditions/0/value"),
    ],
)
def test_a_place_in_the_filter_is_a_place_in_the_search(at: str, place: str) -> None:
    assert place_in_search(at) == place


def test_a_refused_filter_points_into_the_search() -> None:
    search = {"logicalOperator": "AND", "conditions": [condition("LIKE", "x" * 40_000)]}
    with pytest.raises(FilterRefused) as refused, refusals_in_search("/filter/clusterQuery"):
        parse_filter(translate_search(search))
    assert refused.value.at == "/filter/clusterQuery/conditions/0/value"
