"""The order of documents: types, arrays, several paths; and what is no sort."""

import pytest

from rollbook.errors import SortRefused
from rollbook.language.sorting import compile_sort, parse_sort
from tests.language.refusals import explained


def in_order(sort, documents):
    return sorted(documents, key=compile_sort(parse_sort(sort)))


def values_in_order(direction, values):
    return [document["a"] for document in in_order({"a": direction}, [{"a": value} for value in values])]


ASCENDING = [[], None, -1, 0.5, 2, "", "B", "a", {}, {"x": 1}, {"x": 2}, {"x": "1"}, [[]], [[1]], False, True]


def test_types_come_one_after_another():
    assert values_in_order(1, ASCENDING[::-1]) == ASCENDING
    assert values_in_order(-1, ASCENDING) == ASCENDING[::-1]


def test_missing_is_null_and_equal_documents_keep_their_order():
    documents = [{"n": 1, "a": None}, {"n": 2}, {"n": 3, "a": []}, {"n": 4}]
    assert [document["n"] for document in in_order({"a": 1}, documents)] == [3, 1, 2, 4]
    assert [document["n"] for document in in_order({"a": -1}, documents)] == [1, 2, 4, 3]
    assert in_order({}, documents) == documents


@pytest.mark.parametrize(
    ("direction", "values"),
    [
        (1, [[1, 9], 2, [3, 4], [9, 5]]),  # by the smallest element
        (-1, [[9, 5], [1, 8], 7, [3, 4]]),  # by the largest
        (1, [[None, 9], [2, "a"], ["b"]]),
        (-1, [["b"], [2, "a"], [None, 9]]),
        (1, [3, [4], [[1]]]),  # an array in the array is a value like any other
    ],
)
def test_an_array_stands_where_its_first_element_in_the_order_does(direction, values):
    assert values_in_order(direction, values[::-1]) == values
    assert values_in_order(direction, values) == values


def test_a_path_goes_through_objects_and_arrays():
    documents = [
        {"n": 1, "a": [{"b": 5}, {"b": 1}]},
        {"n": 2, "a": {"b": [7, 3]}},
        {"n": 3, "a": [{"b": [9, 2]}]},
        {"n": 4, "a": [4]},
        {"n": 5, "a": 4},
        {"n": 6, "a": []},
    ]
    assert [document["n"] for document in in_order({"a.b": 1}, documents)] == [4, 5, 6, 1, 3, 2]
    assert [document["n"] for document in in_order({"a.b": -1}, documents)] == [3, 2, 1, 4, 5, 6]


def test_an_empty_array_at_the_end_of_a_path_comes_before_null():
    documents = [{"a": {"b": None}}, {"a": {"b": []}}, {"a": {"b": 0}}]
    assert in_order({"a.b": 1}, documents) == [documents[1], documents[0], documents[2]]
    assert in_order({"a.b": -1}, documents) == [documents[2], documents[0], documents[1]]


def test_a_path_does_not_go_through_an_array_in_an_array():
    documents = [{"a": [[{"b": 9}]]}, {"a": {"b": 0}}, {"a": [{"b": -1}]}]
    assert in_order({"a.b": 1}, documents) == [documents[0], documents[2], documents[1]]


def test_a_number_in_a_path_is_an_index_where_there_is_one():
    documents = [{"n": 1, "a": [9, 1]}, {"n": 2, "a": [5, 7]}, {"n": 3, "a": {"0": 7}}]
    assert [document["n"] for document in in_order({"a.0": 1}, documents)] == [2, 3, 1]


def test_the_first_path_decides_and_the_next_breaks_its_ties():
    documents = [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}, {"b": 3}]
    assert in_order({"a": -1, "b": 1}, documents) == [documents[1], documents[0], documents[2], documents[3]]
    assert in_order({"b": 1, "a": 1}, documents) == [documents[0], documents[2], documents[1], documents[3]]


def test_paths_through_one_array_take_their_values_from_one_element():
    together = {"a": [{"b": 1, "c": 9}, {"b": 2, "c": 1}]}
    between = {"a": [{"b": 1, "c": 5}]}
    assert in_order({"a.b": 1, "a.c": 1}, [together, between]) == [between, together]
    assert in_order({"a.b": -1, "a.c": 1}, [between, together]) == [together, between]


def test_paths_through_two_arrays_take_their_values_from_each():
    first, second = {"a": [2, 1], "b": [3, 4]}, {"a": [1], "b": [5, 2]}
    assert in_order({"a": 1, "b": 1}, [first, second]) == [second, first]
    assert in_order({"a": 1, "b": -1}, [first, second]) == [second, first]


@pytest.mark.parametrize("direction", [1, 1.0, 1.9])
def test_ascending_is_1(direction):
    assert values_in_order(direction, [2, 1]) == [1, 2]


@pytest.mark.parametrize("direction", [-1, -1.0, -1.9])
def test_descending_is_minus_1(direction):
    assert values_in_order(direction, [1, 2]) == [2, 1]


@pytest.mark.parametrize(
    ("sort", "code", "at"),
    [
        (None, 15973, "/sort"),
        ([["a", 1]], 15973, "/sort"),
        ("a", 15973, "/sort"),
        ({"a": "asc"}, 15974, "/sort/a"),
        ({"a": True}, 15974, "/sort/a"),
        ({"a": None}, 15974, "/sort/a"),
        ({"a": 0}, 15975, "/sort/a"),
        ({"b": 1, "a": 2}, 15975, "/sort/a"),
        ({"a": -2}, 15975, "/sort/a"),
        ({"a": -0.5}, 15975, "/sort/a"),
        ({"a": 1e300}, 15975, "/sort/a"),
        ({"a": {"$meta": "textScore"}}, 17312, "/sort/a"),
        ({"": 1}, 40352, "/sort/"),
        ({"a.": 1}, 40353, "/sort/a."),
        ({".a": 1}, 15998, "/sort/.a"),
        ({"a..b": 1}, 15998, "/sort/a..b"),
        ({"a.$b": 1}, 16410, "/sort/a.$b"),
        ({"$a": 2}, 15975, "/sort/$a"),
        ({".".join("a" * 201): 1}, 15, "/sort/" + ".".join("a" * 201)),
        ({f"a{number}": 1 for number in range(33)}, 13103, "/sort"),
    ],
)
def test_a_refused_sort_says_where(sort, code, at):
    with pytest.raises(SortRefused) as caught:
        parse_sort(sort, at="/sort")
    refused = explained(caught.value)
    assert (refused.mongo_code, refused.at) == (code, at)


def test_without_a_place_a_refusal_counts_from_the_sort():
    with pytest.raises(SortRefused) as caught:
        parse_sort({"a": 0})
    assert caught.value.at == "/a"


def test_a_path_has_up_to_200_names():
    path = ["a"] * 200
    assert parse_sort({".".join(path): 1}).criteria[0].path == tuple(path)


def test_a_sort_has_up_to_32_paths():
    assert len(parse_sort({f"a{number}": 1 for number in range(32)}).criteria) == 32
