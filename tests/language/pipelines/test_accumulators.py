"""Accumulators: what is computed of the documents of a group."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.values import INT32_MAX, INT64_MAX
from tests.language.pipelines.running import refusal, refused_code, results

MIXED = [3, None, "x", 1, True, 8.5, [9], {"a": 1}]
METHOD = {"input": "$v", "method": "approximate"}


def accumulated(accumulator, values):
    """The accumulator's value for one group: a document for each value, with ``v`` missing where it is ``...``."""
    documents = [
        {"place": place} if value is ... else {"v": value, "place": place} for place, value in enumerate(values)
    ]
    [group] = results([{"$group": {"_id": None, "x": accumulator}}], documents)
    return group["x"]


@pytest.mark.parametrize(
    ("accumulator", "values", "expected"),
    [
        ({"$sum": "$v"}, MIXED, 12.5),
        ({"$sum": "$v"}, ["x", None, ...], 0),
        ({"$sum": 1}, MIXED, 8),
        ({"$sum": "$v"}, [0.1] * 10, 1.0),
        ({"$sum": "$v"}, [1e16, 1.0, -1e16], 1.0),
        ({"$sum": "$v"}, [1.0, 1e16, -1e16], 1.0),
        ({"$sum": "$v"}, [-0.0], 0.0),
        ({"$sum": "$v"}, [[1, 2]], 0),  # an array is one value
        ({"$avg": "$v"}, MIXED, 12.5 / 3),
        ({"$avg": "$v"}, [1, 2], 1.5),
        ({"$avg": "$v"}, ["x", ...], None),
        ({"$min": "$v"}, MIXED, 1),
        ({"$min": "$v"}, [None, ..., "x", {}], "x"),
        ({"$min": "$v"}, [None, ...], None),
        ({"$min": "$v"}, [...], None),
        ({"$min": "$v"}, [5, 5.0], 5),  # the first of equals
        ({"$max": "$v"}, [5.0, 5], 5.0),
        ({"$max": "$v"}, [...], None),
        ({"$max": "$v"}, MIXED, True),
        ({"$max": "$v"}, [5, [1], [2]], [2]),
        ({"$max": "$v"}, [None, ...], None),
        ({"$first": "$v"}, [..., 1], None),
        ({"$first": "$v"}, [[1], 2], [1]),
        ({"$last": "$v"}, [1, 2], 2),
        ({"$last": "$v"}, [1, ...], None),
        ({"$push": "$v"}, [1, ..., None, 1], [1, None, 1]),
        ({"$push": {"p": "$place", "v": "$v"}}, [5, ...], [{"p": 0, "v": 5}, {"p": 1}]),
        ({"$addToSet": "$v"}, [2, 1, 2.0, ..., True, "x", [1], [1.0], None, None], [2, 1, True, "x", [1], None]),
        ({"$addToSet": "$v"}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        ({"$count": {}}, MIXED, 8),
        ({"$mergeObjects": "$v"}, [{"a": 1, "b": 1}, None, ..., {"b": 2}], {"a": 1, "b": 2}),
        ({"$mergeObjects": "$v"}, [None, ...], {}),
        ({"$stdDevPop": "$v"}, [2, 4, "x"], 1.0),
        ({"$stdDevPop": "$v"}, [5], 0.0),
        ({"$stdDevPop": "$v"}, [1e-20], 0.0),
        ({"$stdDevPop": "$v"}, ["x"], None),
        ({"$stdDevSamp": "$v"}, [2, 4], math.sqrt(2)),
        ({"$stdDevSamp": "$v"}, [2], None),
        ({"$firstN": {"input": "$v", "n": 3}}, [1, ..., None, 4], [1, None, None]),
        ({"$firstN": {"input": "$v", "n": 9}}, [1, 2], [1, 2]),
        ({"$firstN": {"input": "$v", "n": INT64_MAX}}, [1, 2], [1, 2]),
        ({"$lastN": {"input": "$v", "n": 2.0}}, [1, 2, 3], [2, 3]),
        ({"$lastN": {"input": "$v", "n": 2}}, [1, ...], [1, None]),
        ({"$minN": {"input": "$v", "n": 2}}, [3, None, 1, ..., 2], [1, 2]),
        ({"$minN": {"input": "$v", "n": 9}}, [None, ...], []),
        ({"$maxN": {"input": "$v", "n": 2}}, MIXED, [True, [9]]),
        ({"$top": {"sortBy": {"v": -1}, "output": "$place"}}, [5, 7, 7, 1], 1),
        ({"$top": {"sortBy": {"v": 1}, "output": "$absent"}}, [5], None),
        ({"$bottom": {"sortBy": {"v": -1}, "output": "$place"}}, [5, 7, 1, 1], 3),
        ({"$topN": {"sortBy": {"v": 1}, "output": ["$v", "$place"], "n": 3}}, [5, 1, 5, 1], [[1, 1], [1, 3], [5, 0]]),
        ({"$topN": {"sortBy": {"v": 1}, "output": "$v", "n": 9}}, [2, 1], [1, 2]),
        ({"$bottomN": {"sortBy": {"v": 1, "place": -1}, "output": "$place", "n": 2}}, [5, 1, 5], [2, 0]),
        ({"$median": METHOD}, [5, 1, "x", 4, 9], 4.0),
        ({"$median": METHOD}, ["x"], None),
        ({"$percentile": {**METHOD, "p": [0, 0.5, 0.75, 1]}}, [4, 3, 2, 1], [1.0, 2.0, 3.0, 4.0]),
        ({"$percentile": {**METHOD, "p": [0.5, 0.9]}}, [...], [None, None]),
    ],
)
def test_accumulators_give_what_mongodb_gives(accumulator, values, expected):
    assert repr(accumulated(accumulator, values)) == repr(expected)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "int"),
        ([INT32_MAX, 1], "long"),
        ([INT32_MAX + 1, -INT32_MAX], "long"),
        ([INT64_MAX, 1], "double"),
        ([1, 1.0], "double"),
        ([], "int"),
    ],
)
def test_a_sum_is_as_wide_as_its_widest_number(values, kind):
    documents = [{"v": value} for value in [*values, "x"]]
    stages = [{"$group": {"_id": None, "x": {"$sum": "$v"}}}, {"$project": {"_id": 0, "type": {"$type": "$x"}}}]
    assert results(stages, documents) == [{"type": kind}]


def test_the_number_of_values_may_depend_on_the_groups_key():
    number = {"$cond": [{"$eq": ["$g", "a"]}, 2, 1]}
    documents = [{"g": group, "v": value} for group in "ab" for value in (1, 2, 3)]
    for accumulator in (
        {"$firstN": {"input": "$v", "n": number}},
        {"$topN": {"sortBy": {"v": 1}, "output": "$v", "n": number}},
    ):
        stage = {"$group": {"_id": {"g": "$g"}, "x": accumulator}}
        assert [group["x"] for group in results([stage], documents)] == [[1, 2], [1]]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("$firstN", {"input": 1}),
        ("$lastN", {"input": 1}),
        ("$minN", {"input": 1}),
        ("$maxN", {"input": 1}),
        ("$topN", {"sortBy": {"v": 1}, "output": 1}),
        ("$bottomN", {"sortBy": {"v": 1}, "output": 1}),
    ],
)
def test_a_number_of_values_is_refused_where_it_stands(name, options):
    stage = {"$group": {"_id": None, "x": {name: {**options, "n": 0}}}}
    assert refused_code([stage], [{"v": 1}]) == (7548606, f"/0/$group/x/{name}/n")


@pytest.mark.parametrize(
    ("accumulator", "code"),
    [
        ({"$count": 1}, 14),
        ({"$mergeObjects": 5}, 40400),
        ({"$firstN": 5}, 5787801),
        ({"$firstN": {"input": 1, "n": 1, "more": 1}}, 5787901),
        ({"$lastN": {"input": 1}}, 5787906),
        ({"$minN": {"n": 1}}, 5787907),
        ({"$maxN": {"input": 1, "n": 0}}, 7548606),
        ({"$maxN": {"input": 1, "n": 2.5}}, 7548606),
        ({"$firstN": {"input": 1, "n": "$v"}}, 7548606),  # a number of values depends on no document
        ({"$top": 5}, 5788001),
        ({"$top": {"sortBy": {"v": 1}, "output": 1, "n": 1}}, 5788002),
        ({"$topN": {"sortBy": {"v": 1}, "output": 1}}, 5788003),
        ({"$bottom": {"sortBy": {"v": 1}}}, 5788004),
        ({"$bottomN": {"output": 1, "n": 1}}, 5788005),
        ({"$topN": 5}, 5788001),
        ({"$topN": {"sortBy": {"v": 1}, "output": 1, "n": 1, "more": 1}}, 5788002),
        ({"$top": {"sortBy": "v", "output": 1}}, 10065),
        ({"$top": {"sortBy": {}, "output": 1}}, 10065),
        ({"$top": {"sortBy": {"v": 2}, "output": 1}}, 15975),
        ({"$topN": {"sortBy": {"v": 1}, "output": 1, "n": -1}}, 7548606),
        ({"$median": 5}, 7436100),
        ({"$median": {"input": 1}}, 40414),
        ({"$median": {"input": 1, "method": "exact"}}, 2),
        ({"$median": {**METHOD, "p": [0.5]}}, 40415),
        ({"$percentile": 5}, 7429703),
        ({"$percentile": METHOD}, 40414),
        ({"$percentile": {**METHOD, "p": [0.5], "more": 1}}, 40415),
        ({"$percentile": {"input": 1, "p": [0.5]}}, 40414),
        ({"$percentile": {**METHOD, "p": ["x"]}}, 7750303),
        ({"$percentile": {**METHOD, "p": [-0.5]}}, 7750303),
        ({"$percentile": {**METHOD, "p": 0.5}}, 7750301),
        ({"$percentile": {**METHOD, "p": []}}, 7750301),
        ({"$percentile": {**METHOD, "p": [1.5]}}, 7750303),
    ],
)
def test_an_accumulator_that_makes_no_sense_is_refused(accumulator, code):
    assert refused_code([{"$group": {"_id": None, "x": accumulator}}], [{"v": 1}])[0] == code


def test_a_sum_that_is_no_json_is_refused():
    documents = [{"v": 1e308}, {"v": 1e308}]
    assert refusal([{"$group": {"_id": None, "x": {"$sum": "$v"}}}], documents).mongo_code == 2


NUMBERS = st.lists(st.integers(-1000, 1000) | st.floats(-1000, 1000), min_size=2, max_size=30)


@given(NUMBERS)
def test_statistics_are_those_of_the_numbers(numbers):
    assert accumulated({"$avg": "$v"}, numbers) == pytest.approx(statistics.fmean(numbers), abs=1e-9)
    assert accumulated({"$stdDevPop": "$v"}, numbers) == pytest.approx(statistics.pstdev(numbers), abs=1e-6)
    assert accumulated({"$stdDevSamp": "$v"}, numbers) == pytest.approx(statistics.stdev(numbers), abs=1e-6)
    assert accumulated({"$median": METHOD}, numbers) == statistics.median_low(numbers)


@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(1, 5))
def test_the_several_are_the_ends_of_the_sorted_values(numbers, count):
    if not numbers:
        return
    several = {"input": "$v", "n": count}
    ranking = {"sortBy": {"v": 1}, "output": "$v", "n": count}
    assert accumulated({"$minN": several}, numbers) == sorted(numbers)[:count]
    assert accumulated({"$maxN": several}, numbers) == sorted(numbers, reverse=True)[:count]
    assert accumulated({"$topN": ranking}, numbers) == sorted(numbers)[:count]
    assert accumulated({"$bottomN": ranking}, numbers) == sorted(numbers)[-count:]
    assert accumulated({"$lastN": several}, numbers) == numbers[-count:]


@pytest.mark.parametrize("accumulator", ["$minN", "$maxN"])
def test_many_values_are_gathered_before_the_others_are_dropped(accumulator):
    values = [(number * 7919) % 10_007 for number in range(5_000)]
    expected = sorted(values, reverse=accumulator == "$maxN")[:3]
    assert accumulated({accumulator: {"input": "$v", "n": 3}}, values) == expected
    ranking = {"sortBy": {"v": 1}, "output": "$v", "n": 3}
    assert accumulated({"$topN": ranking}, values) == sorted(values)[:3]
    assert accumulated({"$bottomN": ranking}, values) == sorted(values)[-3:]


@pytest.mark.parametrize("sign", [1, -1])
def test_what_comes_after_others_were_dropped_still_counts(sign):
    values = [sign * number for number in (10, *[0] * 1200, 9, *[0] * 1200, 8)]
    extreme, end = ("$maxN", "$bottomN") if sign > 0 else ("$minN", "$topN")
    assert accumulated({extreme: {"input": "$v", "n": 3}}, values) == [sign * 10, sign * 9, sign * 8]
    ranked = accumulated({end: {"sortBy": {"v": 1}, "output": "$v", "n": 3}}, values)
    assert ranked == sorted([sign * 10, sign * 9, sign * 8])


def test_of_many_equal_documents_the_first_is_before_the_others():
    for name, expected in (("$topN", [0, 1]), ("$bottomN", [2_498, 2_499])):
        ranking = {"sortBy": {"v": 1}, "output": "$place", "n": 2}
        assert accumulated({name: ranking}, [7] * 2_500) == expected


@pytest.mark.parametrize("values", [[1e16, 1.0, -(10**16)], [1e16, -(10**16), 1.0], [1.0, -(10**16), 1e16]])
def test_what_large_numbers_leave_of_each_other_is_kept(values):
    stage = {"$group": {"_id": None, "sum": {"$sum": "$a"}, "avg": {"$avg": "$a"}}}
    assert results([stage], [{"a": value} for value in values]) == [{"_id": None, "sum": 1.0, "avg": 1 / 3}]
