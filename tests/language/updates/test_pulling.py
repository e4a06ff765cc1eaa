from itertools import count

import pytest

from rollbook.errors import WorkExceeded
from rollbook.language.updates import compile_update, parse_update
from rollbook.limits import Limits, RequestBudget
from tests.language.updates.applying import refused_code, updated


@pytest.mark.parametrize(
    ("array", "operand", "after"),
    [
        ([1, 2, 1.0, "1", True], 1, [2, "1", True]),
        ([None, 0, []], None, [0, []]),
        ([[1], 1, [1, 2]], [1], [1, [1, 2]]),
        (["a", "ab"], "a", ["ab"]),
        ([True, 1], True, [1]),
        ([], 1, []),
    ],
)
def test_a_plain_value_takes_the_elements_equal_to_it(array, operand, after):
    assert repr(updated({"a": array}, {"$pull": {"a": operand}})) == repr({"a": after})


@pytest.mark.parametrize(
    ("operand", "after"),
    [
        ({"x": 1}, [{"x": 2, "y": 1}, {"y": 1}, {}, 1, [{"x": 1}]]),
        ({"y": 1, "x": 1}, [{"x": 2, "y": 1}, {"y": 1}, {}, 1, [{"x": 1}]]),
        ({"y": 1}, [{}, 1, [{"x": 1}]]),
        ({"x": {"$gt": 1}}, [{"x": 1, "y": 1}, {"y": 1}, {}, 1, [{"x": 1}]]),
        ({"x": None}, [{"x": 1, "y": 1}, {"x": 2, "y": 1}, 1, [{"x": 1}]]),
        ({"$or": [{"x": 1}, {"x": 2}]}, [{"y": 1}, {}, 1, [{"x": 1}]]),
        ({}, [1, [{"x": 1}]]),  # every object, and nothing else
    ],
)
def test_an_object_is_a_filter_on_the_elements_that_are_objects(operand, after):
    array = [{"x": 1, "y": 1}, {"x": 2, "y": 1}, {"y": 1}, {}, 1, [{"x": 1}]]
    assert updated({"a": array}, {"$pull": {"a": operand}}) == {"a": after}


@pytest.mark.parametrize(
    ("operand", "after"),
    [
        ({"$gt": 2}, [1, 2, "c", None]),
        ({"$gte": 2, "$lt": 4}, [1, 4, "c", None]),
        ({"$in": [1, "c"]}, [2, 3, 4, None]),
        ({"$nin": [1, "c"]}, [1, "c"]),
        ({"$ne": 1}, [1]),
        ({"$type": "string"}, [1, 2, 3, 4, None]),
        ({"$mod": [2, 0]}, [1, 3, "c", None]),
        ({"$regex": "^C", "$options": "i"}, [1, 2, 3, 4, None]),
        ({"$exists": True}, []),
        ({"$exists": False}, [1, 2, 3, 4, "c", None]),
        ({"$eq": None}, [1, 2, 3, 4, "c"]),
        ({"$not": {"$gt": 2}}, [3, 4]),
    ],
)
def test_operators_are_a_condition_on_each_element(operand, after):
    assert updated({"a": [1, 2, 3, 4, "c", None]}, {"$pull": {"a": operand}}) == {"a": after}


@pytest.mark.parametrize(
    ("operand", "after"),
    [
        ({"$all": [1, 2]}, [[2, 3], []]),
        ({"$size": 2}, [[1, 2, 3], []]),
        ({"$elemMatch": {"$gte": 3}}, [[1, 2], []]),
        ({"$gte": 3}, [[1, 2], []]),  # an element that is an array is looked into, as a field would be
    ],
)
def test_a_condition_looks_into_elements_that_are_arrays(operand, after):
    assert updated({"a": [[1, 2], [1, 2, 3], [2, 3], []]}, {"$pull": {"a": operand}}) == {"a": after}


def test_equal_objects_need_eq_when_all_their_fields_count():
    array = [{"x": 1}, {"x": 1, "y": 2}]
    assert updated({"a": array}, {"$pull": {"a": {"$eq": {"x": 1}}}}) == {"a": [{"x": 1, "y": 2}]}
    assert updated({"a": array}, {"$pull": {"a": {"x": 1}}}) == {"a": []}


@pytest.mark.parametrize(
    "operand",
    [{"$each": [1]}, {"$unknown": 1}, {"$gt": 1, "x": 1}, {"$in": 5}, {"x": {"$unknown": 1}}],
)
def test_a_refused_condition_refuses_the_update(operand):
    code, at = refused_code({"a": [1]}, {"$pull": {"a": operand}})
    assert code == 2
    assert at.startswith("/$pull/a")


@pytest.mark.parametrize("operand", [{"x": 5}, {"$gt": 5}])
def test_a_condition_that_costs_much_is_stopped_at_the_deadline(operand):
    apply = compile_update(
        parse_update({"$pull": {"a": operand}}), work=RequestBudget(deadline=1.5, clock=count(1).__next__)
    )
    with pytest.raises(WorkExceeded):
        apply({"a": [{"x": [0] * 2000}, {"x": [0] * 2000}, [0] * 2000, [0] * 2000]})


@pytest.mark.parametrize("condition", [{"$in": [1, 2]}, {"x": {"$in": [1, 2]}}])
def test_a_condition_has_the_limits_of_the_request(condition):
    assert refused_code({"a": [1]}, {"$pull": {"a": condition}}, limits=Limits(in_values_max=1))[0] == 2
