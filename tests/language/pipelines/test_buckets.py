"""Stages that put documents into buckets: $bucket $bucketAuto."""

import math

import pytest

from rollbook.language.pipelines.preferred_numbers import SERIES
from tests.language.pipelines.running import refused_code, results

VALUES = [{"v": value} for value in (0, 5, 9, 10, 19)]
PLACES = {"groupBy": "$v", "boundaries": [0, 10, 20]}


def documents_of(values):
    return [{} if value is ... else {"v": value} for value in values]


def counts(stage, values):
    return [(bucket["_id"], bucket["count"]) for bucket in results([{"$bucket": stage}], documents_of(values))]


@pytest.mark.parametrize(
    ("stage", "values", "expected"),
    [
        (PLACES, [19, 0, 9, 10], [(0, 2), (10, 2)]),
        (PLACES, [15], [(10, 1)]),  # empty buckets are left out
        (PLACES, [], []),
        ({**PLACES, "default": "other"}, [20, -1, None, "x", 5], [(0, 1), ("other", 4)]),
        ({**PLACES, "default": -5}, [20, 5], [(-5, 1), (0, 1)]),
        ({**PLACES, "default": 20}, [20, 5], [(0, 1), (20, 1)]),
        ({**PLACES, "default": None}, [..., 5], [(None, 1), (0, 1)]),
        ({"groupBy": "$v", "boundaries": ["a", "m", "z"]}, ["b", "m"], [("a", 1), ("m", 1)]),
        ({"groupBy": {"$abs": "$v"}, "boundaries": [0, {"$add": [5, 5]}]}, [-9], [(0, 1)]),
    ],
)
def test_bucket_counts_between_boundaries(stage, values, expected):
    assert counts(stage, values) == expected


def test_a_bucket_gives_the_fields_that_are_asked_for():
    stage = {**PLACES, "output": {"sum": {"$sum": "$v"}, "all": {"$push": "$v"}}}
    assert results([{"$bucket": stage}], VALUES) == [
        {"_id": 0, "sum": 14, "all": [0, 5, 9]},
        {"_id": 10, "sum": 29, "all": [10, 19]},
    ]


def test_the_number_of_values_may_depend_on_the_bucket():
    boundaries = [{"n": 1}, {"n": 2}, {"n": 3}]
    output = {"first": {"$firstN": {"input": "$at", "n": "$n"}}}
    documents = [{"v": {"n": number}, "at": at} for number in (1, 2) for at in (5, 6, 7)]
    buckets = results([{"$bucket": {"groupBy": "$v", "boundaries": boundaries, "output": output}}], documents)
    assert [bucket["first"] for bucket in buckets] == [[5], [5, 6]]


def test_a_value_outside_the_boundaries_needs_a_default():
    assert refused_code([{"$bucket": PLACES}], [{"v": 20}]) == (40066, "/0/$bucket")


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (5, 40201),
        ({}, 40198),
        ({"groupBy": "$v"}, 40198),
        ({"boundaries": [0, 1]}, 40198),
        ({**PLACES, "more": 1}, 40197),
        ({**PLACES, "groupBy": "v"}, 40202),
        ({**PLACES, "groupBy": 5}, 40202),
        ({**PLACES, "boundaries": 5}, 40200),
        ({**PLACES, "boundaries": ["$v", 1]}, 40191),
        ({**PLACES, "boundaries": [0]}, 40192),
        ({**PLACES, "boundaries": [0, "x"]}, 40193),
        ({**PLACES, "boundaries": [0, 1, 1]}, 40194),
        ({**PLACES, "boundaries": [1, 0]}, 40194),
        ({**PLACES, "default": "$v"}, 40195),
        ({**PLACES, "default": 0}, 40199),
        ({**PLACES, "default": 19}, 40199),
        ({**PLACES, "output": 5}, 40196),
        ({**PLACES, "output": {"x": 5}}, 40234),
        ({**PLACES, "output": {"a.b": {"$sum": 1}}}, 40235),
        ({**PLACES, "output": {"_id": {"$sum": 1}}}, 15948),
    ],
)
def test_a_bucket_that_makes_no_sense_is_refused(stage, code):
    assert refused_code([{"$bucket": stage}])[0] == code


def automatic(values, number, **options):
    stage = {"groupBy": "$v", "buckets": number, **options}
    buckets = results([{"$bucketAuto": stage}], documents_of(values))
    return [(bucket["_id"]["min"], bucket["_id"]["max"], bucket["count"]) for bucket in buckets]


@pytest.mark.parametrize(
    ("values", "number", "expected"),
    [
        ([4, 1, 3, 2], 2, [(1, 3, 2), (3, 4, 2)]),
        ([1, 2, 3, 4, 5], 2, [(1, 4, 3), (4, 5, 2)]),
        ([1, 2, 3, 4, 5, 6, 7], 3, [(1, 3, 2), (3, 5, 2), (5, 7, 3)]),
        ([1, 2], 5, [(1, 2, 1), (2, 2, 1)]),
        ([1], 2**31 - 1, [(1, 1, 1)]),
        ([7, 7, 7], 2, [(7, 7, 3)]),  # equal values never part
        ([1, 1, 1, 2], 2, [(1, 2, 3), (2, 2, 1)]),
        ([], 2, []),
        ([..., None, 5, "x"], 2, [(None, 5, 2), (5, "x", 2)]),
        ([False, 0], 2, [(0, False, 1), (False, False, 1)]),
    ],
)
def test_bucket_auto_makes_buckets_of_about_equal_size(values, number, expected):
    assert automatic(values, number) == expected


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("R5", [(0.63, 1.6, 1), (1.6, 16.0, 1), (16.0, 1600.0, 2)]),
        ("1-2-5", [(0.5, 2.0, 1), (2.0, 20.0, 1), (20.0, 2000.0, 2)]),
        ("E6", [(0.68, 1.5, 1), (1.5, 15.0, 1), (15.0, 1500.0, 2)]),
        ("POWERSOF2", [(0.5, 2, 1), (2, 16, 1), (16, 1024, 2)]),
    ],
)
def test_a_granularity_rounds_the_boundaries(granularity, expected):
    assert automatic([1, 10, 100, 1000], 3, granularity=granularity) == expected


def test_a_rounded_boundary_takes_in_what_lies_below_it():
    assert automatic([1, 1.2, 1.5, 4], 4, granularity="R5") == [(0.63, 1.6, 3), (1.6, 6.3, 1)]


def test_zero_stays_zero():
    assert automatic([0, 0, 1, 2], 2, granularity="POWERSOF2") == [(0, 0.5, 2), (0.5, 4, 2)]
    assert automatic([0, 0], 2, granularity="R5") == [(0, 0, 1), (0, 0, 1)]  # nothing lies below it


def test_a_value_at_a_rounded_boundary_is_above_it():
    assert automatic([1, 1.6], 2, granularity="R5") == [(0.63, 1.6, 1), (1.6, 2.5, 1)]
    assert automatic([1, 1.2, 4, 5], 4, granularity="R5") == [(0.63, 1.6, 2), (1.6, 6.3, 2)]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("number", [1, 0.001, 7, 99.5, 123456, 5e-324, 1e300])
def test_a_series_rounds_up_and_down_to_other_numbers_nearby(name, number):
    series = SERIES[name]
    assert series.below(number) < number < series.above(number)
    if 1e-300 < number < 1e299:
        assert series.above(number) <= 3 * number
        assert series.below(number) >= number / 3


@pytest.mark.parametrize("name", sorted(SERIES.keys() - {"POWERSOF2"}))
def test_a_series_goes_from_one_decade_into_the_next(name):
    series = SERIES[name]
    assert series.above(math.nextafter(1000, 0)) == 1000
    assert series.below(math.nextafter(1000, 2000)) == 1000
    assert series.below(math.nextafter(1000, 0)) == series.below(1000) < 1000
    assert series.above(1000) == series.above(math.nextafter(1000, 2000)) > 1000


def test_a_series_reaches_the_least_numbers():
    assert SERIES["R5"].above(1e-316) == 1.6e-316
    assert SERIES["R5"].below(1e-316) == 6.3e-317


def test_the_longest_series_departs_from_the_powers_once():
    assert SERIES["E192"].above(909) == 920
    assert SERIES["E192"].above(920) == 931


@pytest.mark.parametrize(
    ("number", "below", "above"),
    [(1.5, "1", "2"), (1, "0.5", "2"), (2**61, str(2**60), str(2**62)), (2**62, str(2**61), repr(2.0**63))],
)
def test_a_power_of_two_is_a_whole_number_where_64_bits_hold_it(number, below, above):
    series = SERIES["POWERSOF2"]
    assert (repr(series.below(number)), repr(series.above(number))) == (below, above)


@pytest.mark.parametrize("name", SERIES)
def test_the_numbers_of_a_series_follow_each_other(name):
    series = SERIES[name]
    number = series.above(1)
    for _ in range(200):
        above = series.above(number)
        assert series.below(above) == number
        number = above


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"groupBy": "v"}, 40239),
        ({"buckets": "2"}, 40241),
        ({"buckets": True}, 40241),
        ({"buckets": 2.5}, 40242),
        ({"buckets": 2**31}, 40242),
        ({"buckets": 0}, 40243),
        ({"buckets": -1}, 40243),
        ({"buckets": -(2**31) + 1}, 40243),
        ({"output": 5}, 40244),
        ({"output": {"$a": {"$sum": 1}}}, 40236),
        ({"more": 1}, 40245),
        ({"granularity": "R6"}, 40257),
        ({"granularity": 5}, 40261),
    ],
)
def test_a_bucket_auto_that_makes_no_sense_is_refused(options, code):
    assert refused_code([{"$bucketAuto": {"groupBy": "$v", "buckets": 2, **options}}])[0] == code


@pytest.mark.parametrize(
    ("stage", "code"), [(5, 40240), ({}, 40246), ({"buckets": 2}, 40246), ({"groupBy": "$v"}, 40246)]
)
def test_bucket_auto_needs_a_value_and_a_number(stage, code):
    assert refused_code([{"$bucketAuto": stage}])[0] == code


@pytest.mark.parametrize(("value", "code"), [("x", 40258), (None, 40258), (-1, 40260)])
def test_a_granularity_needs_numbers_that_are_not_negative(value, code):
    stage = {"$bucketAuto": {"groupBy": "$v", "buckets": 2, "granularity": "R5"}}
    assert refused_code([stage], [{"v": value}])[0] == code


def test_the_number_of_values_depends_on_no_bucket():
    output = {"first": {"$firstN": {"input": "$v", "n": "$min"}}}
    stage = {"$bucketAuto": {"groupBy": "$v", "buckets": 1, "output": output}}
    assert refused_code([stage], [{"v": 1}]) == (7548606, "/0/$bucketAuto/output/first/$firstN/n")


def test_bucket_auto_gives_the_fields_that_are_asked_for():
    output = {"sum": {"$sum": "$v"}, "all": {"$push": "$v"}}
    assert results([{"$bucketAuto": {"groupBy": "$v", "buckets": 2, "output": output}}], VALUES) == [
        {"_id": {"min": 0, "max": 10}, "sum": 14, "all": [0, 5, 9]},
        {"_id": {"min": 10, "max": 19}, "sum": 29, "all": [10, 19]},
    ]
