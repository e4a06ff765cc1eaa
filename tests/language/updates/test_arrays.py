import pytest

from tests.language.updates.applying import refused_code, updated

NO_ARRAYS = [None, 5, 0.5, "text", True, {}, {"0": 1}]


@pytest.mark.parametrize(
    ("array", "operand", "after"),
    [
        ([1, 2], 3, [1, 2, 3]),
        ([1, 2], 2, [1, 2]),
        ([1, 2], 2.0, [1, 2]),  # equal by value
        ([1], True, [1, True]),  # but no boolean equals a number
        ([0, False], False, [0, False]),
        ([None], None, [None]),
        ([[1, 2]], [1, 2], [[1, 2]]),
        ([1, 2], [1, 2], [1, 2, [1, 2]]),  # an array is one value
        ([{"a": 1, "b": 2}], {"a": 1, "b": 2}, [{"a": 1, "b": 2}]),
        ([{"a": 1, "b": 2}], {"b": 2, "a": 1}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),  # order of fields counts
        ([1, 1], 1, [1, 1]),  # duplicates that are there stay
        ([1], {"$each": [1, 2, 2, 3]}, [1, 2, 3]),
        ([1], {"$each": []}, [1]),
        ([1], {}, [1, {}]),
        ([1], {"each": [1]}, [1, {"each": [1]}]),
        ([1], {"x": 1, "$each": [2]}, [1, {"x": 1, "$each": [2]}]),  # only as the first key it is a modifier
    ],
)
def test_add_to_set_appends_what_the_array_does_not_hold(array, operand, after):
    assert repr(updated({"a": array}, {"$addToSet": {"a": operand}})) == repr({"a": after})


def test_add_to_set_of_many_keeps_the_order_of_first_appearance():
    many = [3, 1, 3, 1.0, "x", True, None, [1], {"a": 1}, 2, "x", [1.0], 20, {"a": 1.0}]
    assert repr(updated({"a": [1, 5]}, {"$addToSet": {"a": {"$each": many}}})) == repr(
        {"a": [1, 5, 3, "x", True, None, [1], {"a": 1}, 2, 20]}
    )


@pytest.mark.parametrize(("operand", "array"), [(1, [1]), ({"$each": [1, 1]}, [1]), ({"$each": []}, []), ([], [[]])])
def test_add_to_set_creates_a_missing_array(operand, array):
    assert updated({}, {"$addToSet": {"a.b": operand}}) == {"a": {"b": array}}


@pytest.mark.parametrize(
    ("operand", "code", "at"),
    [
        ({"$each": 1}, 14, "/$addToSet/a/$each"),
        ({"$each": None}, 14, "/$addToSet/a/$each"),
        ({"$each": {}}, 14, "/$addToSet/a/$each"),
        ({"$each": [1], "$slice": 1}, 2, "/$addToSet/a/$slice"),
        ({"$each": [1], "$position": 0}, 2, "/$addToSet/a/$position"),
        ({"$each": [1], "other": 0}, 2, "/$addToSet/a/other"),
    ],
)
def test_add_to_set_takes_nothing_beside_each(operand, code, at):
    assert refused_code({"a": []}, {"$addToSet": {"a": operand}}) == (code, at)


@pytest.mark.parametrize(
    ("array", "end", "after"),
    [([1, 2, 3], 1, [1, 2]), ([1, 2, 3], -1, [2, 3]), ([1, 2], 1.0, [1]), ([1], 1, []), ([], 1, []), ([], -1, [])],
)
def test_pop_removes_one_end(array, end, after):
    assert updated({"a": array}, {"$pop": {"a": end}}) == {"a": after}


@pytest.mark.parametrize("end", [0, 2, -2, 1.5, True, False, None, "1", [], {}, [1]])
def test_pop_takes_one_or_minus_one(end):
    assert refused_code({"a": [1]}, {"$pop": {"a": end}}) == (9, "/$pop/a")


@pytest.mark.parametrize(
    ("array", "values", "after"),
    [
        ([1, 2, 1, 3], [1, 3], [2]),
        ([1, 1.0, True], [1], [True]),
        ([[1], 1], [[1]], [1]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        ([None, 0, False, ""], [None], [0, False, ""]),
        ([1, 2], [], [1, 2]),
        (list(range(20)), list(range(1, 20)), [0]),
        ([True, 1, "1", [1]], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [True, "1", [1]]),
    ],
)
def test_pull_all_removes_what_equals_a_listed_value(array, values, after):
    assert repr(updated({"a": array}, {"$pullAll": {"a": values}})) == repr({"a": after})


@pytest.mark.parametrize("operand", [None, 1, "x", True, {}, {"$each": [1]}])
def test_pull_all_takes_an_array(operand):
    assert refused_code({"a": [1]}, {"$pullAll": {"a": operand}}) == (2, "/$pullAll/a")


@pytest.mark.parametrize("old", NO_ARRAYS)
@pytest.mark.parametrize(
    ("operator", "operand"),
    [
        ("$push", 1),
        ("$push", {"$each": []}),
        ("$addToSet", 1),
        ("$addToSet", {"$each": []}),
        ("$pull", 1),
        ("$pull", {}),
        ("$pullAll", []),
    ],
)
def test_an_array_operator_refuses_any_other_value(operator, operand, old):
    assert refused_code({"a": old}, {operator: {"a": operand}}) == (2, f"/{operator}/a")


@pytest.mark.parametrize("old", NO_ARRAYS)
def test_pop_refuses_any_other_value_with_a_code_of_its_own(old):
    assert refused_code({"a": old}, {"$pop": {"a": 1}}) == (14, "/$pop/a")


@pytest.mark.parametrize(("operator", "operand"), [("$pop", 1), ("$pull", 1), ("$pullAll", [1])])
@pytest.mark.parametrize("document", [{}, {"a": {}}, {"a": {"b": {}}}])
def test_removing_from_a_missing_array_creates_nothing(operator, operand, document):
    assert updated(document, {operator: {"a.b.c": operand}}) is document


@pytest.mark.parametrize(("operator", "operand"), [("$pop", 1), ("$pull", 1), ("$pullAll", [1])])
def test_removing_still_needs_a_path_that_could_be_there(operator, operand):
    assert refused_code({"a": 5}, {operator: {"a.b": operand}}) == (28, f"/{operator}/a.b")
    assert refused_code({"a": [5]}, {operator: {"a.b": operand}}) == (28, f"/{operator}/a.b")
    document = {"a": [5]}
    assert updated(document, {operator: {"a.7": operand}}) is document
