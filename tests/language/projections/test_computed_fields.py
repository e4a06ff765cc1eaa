"""Fields that a projection computes: expressions and literals, through objects and arrays."""

import json
from datetime import UTC, datetime
from itertools import count

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.projections import compile_projection, parse_projection
from rollbook.limits import Limits, RequestBudget
from tests.language.projections.showing import refusal, refused_code, shown

DOCUMENT = {"id": 1, "a": {"b": 2, "c": 3}, "list": [{"b": 4, "c": 5}, 6, None, [{"b": 7}]], "n": 8}


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"x": "$n"}, {"id": 1, "x": 8}),
        ({"x": "n"}, {"id": 1, "x": "n"}),  # a string is itself
        ({"x": None}, {"id": 1, "x": None}),
        ({"x": []}, {"id": 1, "x": []}),
        ({"x": ["$n", "$absent"]}, {"id": 1, "x": [8, None]}),
        ({"x": {"$literal": 1}}, {"id": 1, "x": 1}),
        ({"x": {"$add": ["$n", 1]}, "n": 1}, {"id": 1, "n": 8, "x": 9}),  # what is computed comes last
        ({"x": "$absent"}, {"id": 1}),
        ({"n": "$absent"}, {"id": 1}),
        ({"x": "$$ROOT.n", "id": 0}, {"x": 8}),
        ({"id": "$n"}, {"id": 8}),
        ({"n": "$a.b", "a": "$n"}, {"id": 1, "n": 2, "a": 8}),  # each sees the document as it came
        ({"a.b": "new"}, {"id": 1, "a": {"b": "new"}}),
        ({"a": {"b": "new", "c": 1}}, {"id": 1, "a": {"c": 3, "b": "new"}}),
        ({"a.x.y": "$n"}, {"id": 1, "a": {"x": {"y": 8}}}),
        ({"n.x": "$n"}, {"id": 1, "n": {"x": 8}}),  # a value on the way becomes an object
        ({"n.x": "$absent"}, {"id": 1, "n": {}}),
        ({"list.b": "new"}, {"id": 1, "list": [{"b": "new"}, {"b": "new"}, {"b": "new"}, [{"b": "new"}]]}),
        ({"list": {"c": 1, "b": "$n"}}, {"id": 1, "list": [{"c": 5, "b": 8}, {"b": 8}, {"b": 8}, [{"b": 8}]]}),
    ],
)
def test_fields_are_computed(projection, expected):
    assert json.dumps(shown(DOCUMENT, projection)) == json.dumps(expected)


def test_what_can_not_be_computed_says_where():
    assert refused_code({"x": {"$add": ["$a", 1]}}, DOCUMENT) == (14, "/x/$add")


def test_a_number_that_is_no_json_is_not_shown():
    refused = refusal({"x": {"$multiply": ["$n", 1e308]}}, DOCUMENT)
    assert (refused.mongo_code, refused.at) == (2, "/x")
    assert refused_code({"x": [{"y": {"$multiply": ["$n", 1e308]}}]}, DOCUMENT) == (2, "/x")


def test_a_few_fields_can_not_name_more_than_any_memory_holds():
    projection = {f"copy{number}": "$big" for number in range(100)}
    work = RequestBudget(bytes_left=50_000)
    project = compile_projection(parse_projection(projection), work=work)
    with pytest.raises(WorkExceeded) as refused:
        project({"big": ["x" * 100] * 10})
    assert refused.value.mongo_code == 146


def test_a_value_that_doubles_itself_is_refused_before_it_is_walked():
    doubled = "$n"
    for _ in range(60):
        doubled = {"$let": {"vars": {"x": doubled}, "in": ["$$x", "$$x"]}}
    assert isinstance(refusal({"x": doubled}, DOCUMENT), WorkExceeded)


def test_every_field_is_given_the_same_time():
    project = compile_projection(
        parse_projection({"x": "$$NOW", "a.y": "$$NOW"}), now=datetime(2024, 2, 29, tzinfo=UTC)
    )
    assert project({}) == {"x": "2024-02-29T00:00:00.000Z", "a": {"y": "2024-02-29T00:00:00.000Z"}}


def test_computing_is_work():
    squares = {"$map": {"input": {"$range": [0, "$n"]}, "in": {"$multiply": ["$$this", "$n"]}}}
    work = RequestBudget(deadline=1.5, clock=count(1).__next__)  # past its deadline after 1024 steps
    project = compile_projection(parse_projection({"x": squares}), work=work)
    assert project({"n": 500})["x"][-1] == 499 * 500
    with pytest.raises(WorkExceeded):
        project({"n": 3000})


def test_an_expression_in_a_projection_has_the_limits_of_the_request():
    limits = Limits(expression_depth_max=2)
    assert shown(DOCUMENT, {"x": {"$abs": "$n"}}, limits=limits) == {"id": 1, "x": 8}
    assert refused_code({"x": {"$abs": {"$abs": {"$abs": "$n"}}}}, DOCUMENT, limits=limits)[0] == 15
