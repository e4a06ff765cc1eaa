"""What a projection takes of arrays: $slice, $elemMatch, positional $."""

import json
import math
from itertools import count

import pytest

from rollbook.errors import WorkExceeded, below
from rollbook.language.filters import parse_filter
from rollbook.language.projections import compile_projection, parse_projection
from rollbook.limits import Limits, RequestBudget
from tests.language.projections.showing import refused_code, shown

NODES = [{"id": "a", "gpus": 2}, {"id": "b", "gpus": 8}, {"id": "c", "gpus": 8}]
DIGITS = {"id": 1, "n": [0, 1, 2, 3, 4], "rest": "x"}


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (2, [0, 1]),
        (-2, [3, 4]),
        (0, []),
        (9, [0, 1, 2, 3, 4]),
        (-9, [0, 1, 2, 3, 4]),
        (1.9, [0]),
        (-1.9, [4]),
        (2**63, [0, 1, 2, 3, 4]),
        (math.nan, []),
        ([0, 2], [0, 1]),
        ([1, 2], [1, 2]),
        ([4, 2], [4]),
        ([5, 2], []),
        ([-2, 1], [3]),
        ([-9, 2], [0, 1]),
        ([-1.5, 1.9], [4]),
    ],
)
def test_slice_cuts_an_array_and_keeps_the_other_fields(cut, expected):
    assert shown(DIGITS, {"n": {"$slice": cut}}) == {**DIGITS, "n": expected}


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"n": {"$slice": 1}, "id": 0}, {"n": [0], "rest": "x"}),
        ({"n": {"$slice": 1}, "id": 1}, {"id": 1, "n": [0]}),
        ({"n": {"$slice": 1}, "rest": 1}, {"id": 1, "n": [0], "rest": "x"}),
        ({"n": {"$slice": 1}, "rest": 0}, {"id": 1, "n": [0]}),
        ({"rest": {"$slice": 1}}, DIGITS),
        ({"absent": {"$slice": 1}}, DIGITS),
        ({"n": {"$slice": 1}, "x": {"$size": "$n"}}, {"id": 1, "n": [0], "x": 5}),
    ],
)
def test_slice_fits_inclusions_and_exclusions(projection, expected):
    assert shown(DIGITS, projection) == expected


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"a.b": {"$slice": 1}}, {"a": [{"b": [1], "c": 0}, 5, [{"b": [3]}]]}),
        ({"a": {"b": {"$slice": -1}}, "x": 1}, {"a": [{"b": [2]}, [{"b": [4]}]]}),
    ],
)
def test_slice_goes_through_arrays(projection, expected):
    assert shown({"a": [{"b": [1, 2], "c": 0}, 5, [{"b": [3, 4]}]]}, projection) == expected


@pytest.mark.parametrize(
    ("cut", "expected"),
    [(["$n", 2], [0, 1]), ([["x", "y"], 1], ["x"]), ([0, None], None)],
)
def test_slice_of_a_named_array_is_an_expression(cut, expected):
    assert shown(DIGITS, {"x": {"$slice": cut}}) == {"id": 1, "x": expected}


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        ([1, 0], 28724),
        ([1, -1], 28724),
        ([1, 0.5], 28724),
        ([1], 28667),
        (True, 28667),
        ("x", 28667),
        ([0, "x"], 28724),
    ],
)
def test_a_slice_that_is_none_is_refused(cut, code):
    assert refused_code({"n": {"$slice": cut}}, DIGITS)[0] == code


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"gpus": 8}, [NODES[1]]),
        ({"gpus": {"$gt": 1}}, [NODES[0]]),
        ({"gpus": 8, "id": {"$ne": "b"}}, [NODES[2]]),
        ({"$or": [{"id": "c"}, {"id": "b"}]}, [NODES[1]]),
    ],
)
def test_elem_match_takes_the_first_element_that_matches(condition, expected):
    document = {"id": "west", "nodes": NODES, "status": "live"}
    assert shown(document, {"nodes": {"$elemMatch": condition}}) == {"id": "west", "nodes": expected}


@pytest.mark.parametrize(
    ("array", "condition", "expected"),
    [
        ([1, 5, 9], {"$gt": 1}, {"a": [5]}),
        ([1, 5, 9], {"$gt": 9}, {}),
        ([], {"$exists": True}, {}),
        (5, {"$gt": 1}, {}),
        ({"x": 5}, {"x": 5}, {}),
        ([1, [5]], {"$elemMatch": {"$eq": 5}}, {"a": [[5]]}),
    ],
)
def test_elem_match_leaves_nothing_where_nothing_matches(array, condition, expected):
    assert shown({"a": array}, {"a": {"$elemMatch": condition}}) == expected


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"n": {"$elemMatch": {"$gt": 2}}, "rest": 1}, {"id": 1, "rest": "x", "n": [3]}),
        ({"n": {"$elemMatch": {"$gt": 2}}, "rest": 0}, {"id": 1, "n": [3]}),
        ({"n": {"$elemMatch": {"$gt": 9}}, "rest": 0}, {"id": 1}),
        ({"n": {"$elemMatch": {"$gt": 2}}, "id": 0}, {"n": [3]}),
    ],
)
def test_elem_match_fits_inclusions_and_exclusions(projection, expected):
    assert json.dumps(shown(DIGITS, projection)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("projection", "code"),
    [
        ({"a": {"$elemMatch": 5}}, 31274),
        ({"a": {"$elemMatch": []}}, 31274),
        ({"a.b": {"$elemMatch": {"$gt": 1}}}, 31275),
        ({"a": {"b": {"$elemMatch": {"$gt": 1}}}}, 31275),
        ({"$a": {"$elemMatch": {"$gt": 1}}}, 16410),
        ({"a": {"$elemMatch": {"$gt": 1}, "b": 1}}, 16410),
        ({"a": {"$elemMatch": {"$jsonSchema": {}}}}, 224),
        ({"a": {"$elemMatch": {"$and": [{"$expr": True}]}}}, 224),
        ({"a": {"$elemMatch": {"$and": [{"$expr": True}, {"$or": [{"x": 1}]}]}}}, 224),
        ({"a": {"$elemMatch": {"$nothing": 1}}}, 2),
        ({"a": {"$elemMatch": {"$or": []}}}, 2),
        ({"a.$": 1, "b": {"$elemMatch": {"$gt": 1}}}, 31255),
        ({"b": {"$elemMatch": {"$gt": 1}}, "a.$": 1}, 31256),
    ],
)
def test_an_elem_match_that_makes_no_sense_is_refused(projection, code):
    assert refused_code(projection)[0] == code


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"nodes.gpus": 8}, [NODES[1]]),
        ({"nodes": {"$elemMatch": {"gpus": 8, "id": "c"}}}, [NODES[2]]),
        ({"nodes.gpus": 8, "nodes.id": "c"}, [NODES[2]]),  # the last condition on an array decides
    ],
)
def test_the_positional_operator_takes_the_element_that_the_query_matched(filter, expected):
    document = {"id": "west", "nodes": NODES, "status": "live"}
    assert shown(document, {"nodes.$": 1}, filter=filter) == {"id": "west", "nodes": expected}


@pytest.mark.parametrize(
    ("document", "projection", "filter", "expected"),
    [
        ({"a": [1, 2], "b": [3, 4]}, {"b.$": 1}, {"a": 2}, {"b": [4]}),
        ({"a": {"b": [1, 2]}}, {"a.b.$": 1}, {"a.b": 2}, {"a": {"b": [2]}}),
        ({"a": [{"b": [1]}, {"b": [2, 3]}]}, {"a.b.$": 1}, {"a.b": 3}, {"a": [{"b": [2, 3]}]}),
        ({"a": [{"b": 1, "c": 1}, {"b": 2, "c": 2}]}, {"a.b.$": 1}, {"a.c": 2}, {"a": [{"b": 2}]}),
        ({"a": 5}, {"a.$": 1}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"b.c.$": 1}, {"a": 5}, {}),
        ({"a": {"x": 1}}, {"a.b.$": 1}, {"a.x": 1}, {"a": {}}),
        ({"a": [1, 2], "b": 3, "c": 4}, {"a.$": 1, "b": 1, "s": {"$size": "$a"}}, {"a": 2}, {"a": [2], "b": 3, "s": 2}),
    ],
)
def test_the_positional_operator_reduces_the_first_array_on_its_path(document, projection, filter, expected):
    assert shown(document, projection, filter=filter) == expected


@pytest.mark.parametrize(
    ("projection", "filter", "code"),
    [
        ({"a.$": 1}, {}, 51246),
        ({"a.$": 1}, None, 51246),
        ({"a.$": 1}, {"a.1": 2}, 51246),
        ({"b.$": 1}, {"a": 2}, 51247),
        ({"a.$": 0}, {"a": 2}, 31395),
        ({"a.$": 1, "b": 0}, {"a": 2}, 31254),
        ({"b": 0, "a.$": 1}, {"a": 2}, 31253),
        ({"a.$": 1, "b.$": 1}, {"a": 2}, 31276),
        ({"a.$": "x"}, {"a": 2}, 31308),
        ({"a.$": [1]}, {"a": 2}, 31308),
        ({"a.$": {"$slice": 1}}, {"a": 2}, 31271),
        ({"a.$.b": 1}, {"a": 2}, 31394),
        ({"$": 1}, {"a": 2}, 16410),
        ({"a": 1, "a.$": 1}, {"a": 2}, 31250),
    ],
)
def test_a_positional_operator_without_an_element_is_refused(projection, filter, code):
    document = {"a": [1, 2], "b": [3]}
    assert refused_code(projection, document, filter=filter) == (code, below("", list(projection)[-1]))


@pytest.mark.parametrize("cut", [2**31 - 1, 2**40, -(2**31), -(2**40)])
def test_a_cut_larger_than_an_array_takes_all_of_it(cut):
    array = list(range(200))
    assert shown({"a": array}, {"a": {"$slice": cut}}) == {"a": array}


@pytest.mark.parametrize(
    ("projection", "at"),
    [
        ({"n": {"$slice": [1, 0]}}, "/n/$slice"),
        ({"a": {"$elemMatch": 5}}, "/a/$elemMatch"),
        ({"a.b": {"$elemMatch": {"$gt": 1}}}, "/a.b/$elemMatch"),
        ({"a/b": {"$elemMatch": {"$expr": True}}}, "/a~1b/$elemMatch/$expr"),
        ({"a/b": {"$elemMatch": {"$or": [{"x": {"$betwen": 1}}]}}}, "/a~1b/$elemMatch/$or/0/x/$betwen"),
        ({"a.b": 1, "a": {"$elemMatch": {"x": 1}}}, "/a/$elemMatch"),
        ({"a.$": 1, "b": {"$elemMatch": {"$gt": 1}}}, "/b/$elemMatch"),
        ({"b": {"$elemMatch": {"$gt": 1}}, "a.$": 1}, "/a.$"),
        ({".$": 1}, "/.$"),
        ({"a.b": 1, "a": {"$slice": 1}}, "/a"),
        ({"a.b": 1, "a": "$x"}, "/a"),
        ("a", ""),
    ],
)
def test_what_is_refused_about_an_array_says_where(projection, at):
    assert refused_code(projection, at="/projection")[1] == f"/projection{at}"


def test_the_condition_of_elem_match_has_the_limits_of_the_request():
    refused_code({"a": {"$elemMatch": {"x": {"$in": [1, 2]}}}}, limits=Limits(in_values_max=1))


@pytest.mark.parametrize(
    ("projection", "filter"),
    [({"a": {"$elemMatch": {"x": 5}}}, None), ({"a.$": 1}, {"a.x": {"$in": [1]}})],
)
def test_looking_for_an_element_is_work(projection, filter):
    work = RequestBudget(deadline=1.5, clock=count(1).__next__)  # past its deadline after 1024 steps
    condition = None if filter is None else parse_filter(filter)
    project = compile_projection(parse_projection(projection), filter=condition, work=work)
    with pytest.raises(WorkExceeded):
        project({"a": [{"x": [0] * 2000}] * 3 + [{"x": 1}]})
