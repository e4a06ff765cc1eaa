import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.codec import encode_json
from rollbook.documents.editing import depth_of, element_index, identical, value_at, with_elements, with_members
from rollbook.documents.values import MISSING

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, -0.0, 1.0, 2.5])
    | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


def test_members_are_set_in_place_appended_in_order_or_removed():
    document = {"a": 1, "b": 2, "c": 3}
    edited = with_members(document, {"b": 9, "z": 8, "a": MISSING, "y": None, "gone": MISSING})
    assert list(edited.items()) == [("b", 9), ("c", 3), ("z", 8), ("y", None)]
    assert document == {"a": 1, "b": 2, "c": 3}


def test_elements_are_set_and_the_way_to_new_ones_is_null():
    array = [1, 2]
    assert with_elements(array, {4: 5, 0: 9}) == [9, 2, None, None, 5]
    assert array == [1, 2]


def test_without_changes_the_same_object_comes_back():
    document, array = {"a": 1}, [1]
    assert with_members(document, {}) is document
    assert with_elements(array, {}) is array


@pytest.mark.parametrize(
    ("left", "right"),
    [(5, 5.0), (0.0, -0.0), (1, True), (0, None), (None, MISSING), ([1], [1.0]), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_values_that_are_written_differently_are_not_identical(left, right):
    assert not identical(left, right)
    assert not identical({"x": [left]}, {"x": [right]})


@given(JSON, JSON)
def test_identical_means_the_same_bytes(left, right):
    assert identical(left, right) == (encode_json(left) == encode_json(right))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), {"a": [{"b": 1}, 5], "0": {"x": None}}),
        (("a", "0", "b"), 1),
        (("a", "1"), 5),
        (("0", "x"), None),
        (("a", "2"), MISSING),
        (("a", "b"), MISSING),
        (("a", "1", "c"), MISSING),
        (("z", "y"), MISSING),
    ],
)
def test_the_value_at_a_path(path, value):
    assert value_at({"a": [{"b": 1}, 5], "0": {"x": None}}, path) == value


@pytest.mark.parametrize(
    ("component", "index"),
    [
        ("0", 0),
        ("00", 0),
        ("17", 17),
        ("017", 17),
        ("4294967295", 2**32 - 1),
        ("4294967296", None),
        ("9" * 10_000, None),
        ("0" * 10_000 + "3", 3),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        (" 1", None),
        ("a", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_an_index_is_decimal_digits_below_2_to_the_32(component, index):
    assert element_index(component) == index


@pytest.mark.parametrize(("value", "depth"), [(5, 0), (MISSING, 0), ([], 1), ({}, 1), ([1, [2], {"a": [{}]}], 4)])
def test_the_depth_of_a_value(value, depth):
    assert depth_of(value) == depth


def test_the_depth_of_a_very_deep_value_is_found_without_recursion():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert depth_of(deep) == 100_001
