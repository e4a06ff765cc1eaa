"""A hostile filter is refused before it costs much, and a costly one is stopped by its deadline."""

from itertools import count

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.filters import (
    compile_condition,
    compile_filter,
    compile_first_match,
    first_match,
    parse_condition,
    parse_filter,
)
from rollbook.limits import Limits, RequestBudget
from tests.language.filters.matching import refused_code

DEPTH = Limits().filter_depth_max


def nested(wrap, innermost, levels):
    for _ in range(levels):
        innermost = wrap(innermost)
    return innermost


WRAPPERS = {
    "$and": (lambda inner: {"$and": [inner]}, {"a": 1}),
    "$or": (lambda inner: {"$or": [inner, {"b": 1}]}, {"a": 1}),
    "$nor": (lambda inner: {"$nor": [inner, {"b": 1}]}, {"a": 1}),
    "$elemMatch": (lambda inner: {"a": {"$elemMatch": inner}}, {"a": 1}),
}


@pytest.mark.parametrize(("wrap", "innermost"), WRAPPERS.values(), ids=WRAPPERS)
def test_nesting_is_bounded(wrap, innermost):
    document = nested(lambda inner: {"a": [inner]}, {"a": 1}, DEPTH)
    deepest = parse_filter(nested(wrap, innermost, DEPTH))
    assert compile_filter(deepest)(document) in (True, False)
    assert first_match(deepest, document) in (0, None)
    assert refused_code(nested(wrap, innermost, DEPTH + 1))[0] == 2


def test_nesting_of_negations_is_bounded():
    assert compile_filter(parse_filter({"a": nested(lambda inner: {"$not": inner}, {"$eq": 1}, DEPTH)}))({"a": 1})
    assert refused_code({"a": nested(lambda inner: {"$not": inner}, {"$eq": 1}, DEPTH + 1)})[0] == 2


def test_nesting_of_schemas_is_bounded():
    assert compile_filter(parse_filter({"$jsonSchema": nested(lambda inner: {"not": inner}, {}, DEPTH)}))({})
    assert refused_code({"$jsonSchema": nested(lambda inner: {"not": inner}, {}, DEPTH + 1)})[0] == 2


SMALL = Limits(filter_clauses_max=10, in_values_max=3, patterns_max=2, pattern_length_max=8)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ({f"f{i}": i for i in range(10)}, {f"f{i}": i for i in range(11)}),
        ({"a.b.c.d.e": 1, "f.g.h.i.j": 1}, {"a.b.c.d.e": 1, "f.g.h.i.j.k": 1}),
        ({"$or": [{"a": 1}] * 5}, {"$or": [{"a": 1}] * 6}),
        ({"a.b.c.d": {"$elemMatch": {"$or": [{"a": 1}]}}}, {"a.b.c.d": {"$elemMatch": {"$or": [{"a": 1, "b": 1}]}}}),
        ({"a": {"$all": [1] * 9}}, {"a": {"$all": [1] * 10}}),
        ({"$jsonSchema": {"allOf": [{}] * 10}}, {"$jsonSchema": {"allOf": [{}] * 11}}),
        ({"a": {"$in": [1, 2, 3]}}, {"a": {"$in": [1, 2, 3, 4]}}),
        ({"a": {"$nin": [1, 2, 3]}}, {"a": {"$nin": [1, 2, 3, 4]}}),
        ({"a": {"$regex": "é" * 4}}, {"a": {"$regex": "é" * 4 + "a"}}),
        ({"a": {"$regex": "a"}, "b": {"$regex": "a"}}, {f: {"$regex": "a"} for f in "abc"}),
        ({"$jsonSchema": {"pattern": "a"}}, {"$jsonSchema": {"patternProperties": {"a": {}, "b": {}, "c": {}}}}),
    ],
)
def test_sizes_are_bounded(within, beyond):
    parse_filter(within, limits=SMALL)
    refused_code(beyond, limits=SMALL)


@pytest.mark.parametrize(
    ("filter", "document"),
    [
        ({"a": 5}, {"a": [0] * 5000}),
        ({"a.b": 5}, {"a": [{"b": 0}] * 5000}),
        ({"b": None, "a.b": 5}, {"a": [{"b": 0}] * 5000}),
        ({"a.b.c": 5}, {"a": [{"b": 0}] * 5000}),
        ({"a": {"$elemMatch": {"$gt": 5}}}, {"a": [0] * 5000}),
        ({"$or": [{"a": i} for i in range(5000)]}, {"a": -1}),
        ({"$and": [{"a": {"$ne": i}} for i in range(5000)]}, {"a": -1}),
        ({"$and": [{"$or": [{"a": i} for i in range(5000)]}, {"b": None}]}, {"a": -1}),
        ({"$or": [{"$and": [{"a": {"$ne": i}} for i in range(5000)]}, {"b": 5}]}, {"a": -1}),
        ({"$nor": [{"a": i} for i in range(5000)]}, {"a": -1}),
        ({"$expr": {"$in": [5, "$a"]}}, {"a": [0] * 5000}),
        ({"$jsonSchema": {"properties": {"a": {"items": {"type": "number"}}}}}, {"a": [0] * 5000}),
    ],
)
def test_a_document_that_costs_much_is_stopped_at_the_deadline(filter, document):
    past_it = RequestBudget(deadline=2.0, clock=lambda: 3.0)
    with pytest.raises(WorkExceeded):
        compile_filter(parse_filter(filter), work=past_it)(document)
    with pytest.raises(WorkExceeded):
        first_match(parse_filter(filter), document, work=past_it)


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"$gt": 5}, [0] * 5000),
        ({"$elemMatch": {"$gt": 5}}, [0] * 5000),
        ({"$all": list(range(5000))}, -1),
    ],
)
def test_a_value_that_costs_much_is_stopped_at_the_deadline(condition, value):
    past_it = RequestBudget(deadline=2.0, clock=lambda: 3.0)
    with pytest.raises(WorkExceeded):
        compile_condition(parse_condition(condition), work=past_it)(value)


@pytest.mark.parametrize(
    ("filter", "document"),
    [
        ({"a": {"$elemMatch": {"$elemMatch": {"$gt": 5}}}}, {"a": [[0] * 2000] * 2}),
        ({"a": {"$elemMatch": {"b": 5}}}, {"a": [{"b": [0] * 2000}] * 2}),
        ({"$or": [{"a": {"$elemMatch": {"b": 5}}}, {"c": 5}]}, {"a": [{"b": [0] * 2000}] * 2}),
    ],
)
def test_what_elements_hold_is_work_too(filter, document):
    for find in (compile_filter, compile_first_match):
        with pytest.raises(WorkExceeded):  # a clock that is past the deadline after 1024 steps
            find(parse_filter(filter), work=RequestBudget(deadline=1.5, clock=count(1).__next__))(document)


def test_one_pattern_too_many_is_refused_where_it_stands():
    three = {"a": {}, "b": {}, "c": {}}
    assert refused_code({"$jsonSchema": {"patternProperties": three}}, limits=SMALL) == (
        2,
        "/$jsonSchema/patternProperties/c",
    )


def test_an_expression_in_a_filter_has_the_limits_of_the_request():
    limits = Limits(expression_depth_max=2)
    parse_filter({"$expr": {"$not": "$a"}}, limits=limits)
    refused_code({"$expr": {"$not": {"$not": {"$not": {"$not": "$a"}}}}}, limits=limits)
