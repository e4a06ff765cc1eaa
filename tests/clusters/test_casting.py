"""Numbers sent as text, in filters and in updates."""

from typing import Any

import pytest

from rollbook.clusters.casting import cast_array_filters, cast_filter, cast_update
from rollbook.clusters.numerals import number_in
from rollbook.errors import FilterRefused, UpdateRefused
from rollbook.language.filters import compile_filter, parse_filter
from tests.api.specified import EXAMPLE


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 5\n", 5),
        ("+5", 5),
        ("-5", -5),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2.0**63),
        ("1" * 30, float("1" * 30)),
        ("", None),
        (" ", None),
        ("1e400", None),
        ("9" * 400, None),
        ("1,5", None),
        ("1_000", None),
        ("0x10", None),
        ("five", None),
        ("NaN", None),
        ("Infinity", None),
        ("true", None),
        ("٥", None),
        ("5 5", None),
        ("--5", None),
    ],
)
def test_text_is_a_number_when_it_is_a_finite_decimal(text: str, number: float | None) -> None:
    assert (number_in(text), type(number_in(text))) == (number, type(number))


@pytest.mark.parametrize(
    ("filter", "meant"),
    [
        ({"gpus.count": "3"}, {"gpus.count": 3}),
        ({"gpus.count": {"$ne": "3"}}, {"gpus.count": {"$ne": 3}}),
        ({"gpus.count": {"$gt": "2", "$lte": "3.5"}}, {"gpus.count": {"$gt": 2, "$lte": 3.5}}),
        ({"gpus.count": {"$in": ["3", 4]}}, {"gpus.count": {"$in": [3, 4]}}),
        ({"gpus.count": {"$nin": ["3"]}}, {"gpus.count": {"$nin": [3]}}),
        ({"gpus.count": {"$not": {"$lt": "3"}}}, {"gpus.count": {"$not": {"$lt": 3}}}),
        ({"nodes.nodeData.memory": {"$all": ["65536"]}}, {"nodes.nodeData.memory": {"$all": [65536]}}),
        ({"nodes.nodeData.0.memory": "131072"}, {"nodes.nodeData.0.memory": 131072}),
        ({"nodes.nodeData.0.gpus.gpus.1.memory": "16384"}, {"nodes.nodeData.0.gpus.gpus.1.memory": 16384}),
        (
            {"nodes.nodeData": {"$elemMatch": {"swap": "8192", "gpus.gpus": {"$elemMatch": {"memory": "16384"}}}}},
            {"nodes.nodeData": {"$elemMatch": {"swap": 8192, "gpus.gpus": {"$elemMatch": {"memory": 16384}}}}},
        ),
        ({"$or": [{"swap": "1"}, {"$nor": [{"swap": "2"}]}]}, {"$or": [{"swap": 1}, {"$nor": [{"swap": 2}]}]}),
        ({"gpus": {"count": "3", "memory": "49152"}}, {"gpus": {"count": 3, "memory": 49152}}),
        ({"reputation": {"$gt": "2"}}, {"reputation": {"$gt": 2}}),
        ({"config.useGateway": "true"}, {"config.useGateway": True}),
        ({"config.useGateway": {"$ne": "false"}}, {"config.useGateway": {"$ne": False}}),
    ],
)  # fmt: skip
def test_text_is_cast_where_a_filter_compares_documented_numbers(filter: Any, meant: Any) -> None:
    cast = cast_filter(parse_filter(filter))

    assert cast == parse_filter(meant)
    assert compile_filter(cast)(EXAMPLE) == compile_filter(parse_filter(meant))(EXAMPLE)


@pytest.mark.parametrize(
    "filter",
    [
        {"gpus.count": 3, "memory": {"$gt": None}},
        {"regionId": "5", "tags": "5", "id": {"$in": ["5"]}},
        {"zone": "5", "config.os": "5", "nodes.nodeData.tags": "5", "gpus.count.deeper": "5"},
        {"config.customPolicySystem.memory": "5", "clusterMetadata.additionalInfo.memory": {"$gt": "x"}},
        {"gpus.count": {"$exists": True, "$type": "string"}},
        {"gpus.count": {"$regex": "5"}},
        {"nodes.nodeData": {"$size": 2}},
        {"config.useGateway": "maybe"},
        {"$expr": {"$gt": ["$gpus.count", "5"]}},
    ],
)
def test_everything_else_in_a_filter_is_left_as_it_is(filter: Any) -> None:
    parsed = parse_filter(filter)

    assert cast_filter(parsed) is parsed


@pytest.mark.parametrize(
    ("filter", "at"),
    [
        ({"gpus.count": {"$gt": "lots"}}, "/gpus.count/$gt"),
        ({"memory": ""}, "/memory"),
        ({"$and": [{"tags": "x"}, {"swap": {"$in": [1, "x"]}}]}, "/$and/1/swap/$in/1"),
        ({"nodes.nodeData": {"$elemMatch": {"memory": {"$not": {"$gt": "x"}}}}},
         "/nodes.nodeData/$elemMatch/memory/$not/$gt"),
        ({"storage": {"disks": 1, "size": "big"}}, "/storage/size"),
    ],
)  # fmt: skip
def test_text_that_is_no_number_is_refused_with_its_place(filter: Any, at: str) -> None:
    with pytest.raises(FilterRefused, match="is not a number") as refused:
        cast_filter(parse_filter(filter))
    assert (refused.value.at, refused.value.mongo_code) == (at, 2)


@pytest.mark.parametrize(
    ("update", "meant"),
    [
        ({"memory": "5"}, {"memory": 5}),
        ({"$set": {"gpus": {"count": "1", "memory": 2}}}, {"$set": {"gpus": {"count": 1, "memory": 2}}}),
        ({"$inc": {"memory": "5", "zone": "5"}}, {"$inc": {"memory": 5, "zone": "5"}}),
        ({"$mul": {"nodes.nodeData.$[].memory": "2"}}, {"$mul": {"nodes.nodeData.$[].memory": 2}}),
        ({"$min": {"nodes.nodeData.0.swap": "2"}}, {"$min": {"nodes.nodeData.0.swap": 2}}),
        ({"$push": {"nodes.nodeData": {"memory": "2"}}}, {"$push": {"nodes.nodeData": {"memory": 2}}}),
        (
            {"$push": {"nodes.nodeData": {"$each": [{"memory": "2"}], "$slice": 5}}},
            {"$push": {"nodes.nodeData": {"$each": [{"memory": 2}], "$slice": 5}}},
        ),
        ({"$pull": {"nodes.nodeData": {"swap": {"$lt": "2"}}}}, {"$pull": {"nodes.nodeData": {"swap": {"$lt": 2}}}}),
        (
            {"$pull": {"nodes.nodeData": {"$or": [{"gpus.count": "0"}, {"memory": {"$not": {"$gt": "1"}}}]}}},
            {"$pull": {"nodes.nodeData": {"$or": [{"gpus.count": 0}, {"memory": {"$not": {"$gt": 1}}}]}}},
        ),
    ],
)  # fmt: skip
def test_text_is_cast_where_an_update_computes_with_documented_numbers(update: Any, meant: Any) -> None:
    assert cast_update(update) == meant


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"regionId": "5", "config.customPolicySystem": {"memory": "5"}, "memory": "lots"}},
        {"$inc": {"memory": "lots"}},
        {"$set": {"config.useGateway": "true"}},
        {"$unset": {"memory": "1"}, "$rename": {"memory": "5"}, "$push": {"tags": "5"}},
        {"$set": "5", "$foo": {"memory": "5"}},
        [{"$set": {"memory": "5"}}],
        "5",
        None,
    ],
)
def test_everything_else_in_an_update_is_left_as_it_is(update: Any) -> None:
    assert cast_update(update) is update


def test_text_that_is_no_number_in_the_condition_of_pull_is_refused_with_its_place() -> None:
    with pytest.raises(UpdateRefused) as refused:
        cast_update({"$pull": {"nodes.nodeData": {"memory": {"$lt": "x"}}}}, at="/update")
    assert refused.value.at == "/update/$pull/nodes.nodeData/memory/$lt"


def test_array_filters_are_cast_by_what_their_identifiers_stand_for() -> None:
    update = {"$set": {"nodes.nodeData.$[n].swap": 0}, "tags.$[t]": "x", "zones.$[z].size": 1}
    filters = [{"n.memory": {"$lt": "5"}, "n.id": "5"}, {"t": "5"}, {"z.memory": "5"}]

    assert cast_array_filters(filters, update) == [{"n.memory": {"$lt": 5}, "n.id": "5"}, {"t": "5"}, {"z.memory": "5"}]
    with pytest.raises(UpdateRefused) as refused:
        cast_array_filters([{"n.memory": "x"}], update)
    assert refused.value.at == "/arrayFilters/0/n.memory"
