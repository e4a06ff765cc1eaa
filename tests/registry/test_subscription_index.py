"""The index over the filters of watches: whoever is concerned is found, and few others."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.errors import FilterRefused
from rollbook.language.filters import compile_filter, parse_filter
from rollbook.registry.watching.subscriptions import SubscriptionIndex
from tests.view import grammar


def concerned(filters: list[Any], *documents: dict[str, Any]) -> list[Any]:
    """Those of the filters whose subscriptions the index finds for a change of these documents."""
    subscriptions: SubscriptionIndex[int] = SubscriptionIndex()
    joined = {subscriptions.join(parse_filter(json), place): place for place, json in enumerate(filters)}
    return [filters[place] for place in sorted(joined[each] for each in subscriptions.concerned_by(documents))]


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_filter_that_matches_is_found(random: Random) -> None:
    document = grammar.document(random)
    maker = grammar.FilterMaker(random, [document])
    subscriptions: SubscriptionIndex[int] = SubscriptionIndex()
    matching = set()
    for number in range(8):
        try:
            filter = parse_filter(maker.filter())
        except FilterRefused:
            continue
        subscription = subscriptions.join(filter, number)
        if compile_filter(filter)(document):
            matching.add(subscription)
    assert matching <= subscriptions.concerned_by([document])


@pytest.mark.parametrize(
    "filter",
    [
        {"regionId": "eu"},
        {"id": {"$in": ["a", "b"]}},
        {"gpus.count": {"$gte": 9}},
        {"gpus.count": {"$lt": 7}},
        {"gpus.count": {"$gt": "a"}},
        {"$and": [{"status": {"$ne": "live"}}, {"tags": "vision"}]},
        {"$or": [{"regionId": "eu"}, {"tags": "vision"}]},
        {"nodes.nodeData": {"$elemMatch": {"memory": {"$gt": 9}, "swap": 1}}},
        {"config.useGateway": 1},
    ],
)
def test_a_filter_that_a_change_can_not_concern_is_not_asked(filter: Any) -> None:
    document = {
        "id": "c",
        "regionId": "us",
        "tags": ["gpu"],
        "gpus": {"count": 8},
        "nodes": {"nodeData": [{"memory": 8, "swap": 0}]},
        "config": {"useGateway": True},
    }
    assert concerned([filter], document) == []


def test_bounds_are_found_on_their_side_only() -> None:
    filters = [{"n": {operator: bound}} for operator in ("$gt", "$gte", "$lt", "$lte") for bound in (1, 2, 3)]

    found = concerned(filters, {"n": [2, "x"]})

    assert found == [{"n": {"$gt": 1}}, {"n": {"$gt": 2}}, {"n": {"$gte": 1}}, {"n": {"$gte": 2}}] + [
        {"n": {operator: bound}} for operator in ("$lt", "$lte") for bound in (2, 3)
    ]


def test_filters_without_bounds_are_always_asked() -> None:
    filters: list[Any] = [{}, {"a": None}, {"a": {"$ne": 1}}, {"a": {"$exists": False}}, {"$or": [{"a": 1}, {}]}]

    assert concerned(filters, {"b": 1}) == filters


def test_the_last_member_takes_its_subscription_along() -> None:
    subscriptions: SubscriptionIndex[str] = SubscriptionIndex()
    filters = [parse_filter(json) for json in ({"a": 1}, {"a": {"$gt": 1}}, {"a": {"$lt": 9}}, {})]
    joined = [(subscriptions.join(filter, member), member) for filter in filters for member in ("x", "y")]
    assert joined[0][0] is joined[1][0]

    for subscription, member in joined:
        subscriptions.leave(subscription, member)

    assert (len(subscriptions), subscriptions.concerned_by([{"a": 1}]), list(subscriptions.members())) == (0, set(), [])
