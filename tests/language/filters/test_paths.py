"""How a path finds values: through objects and arrays, by name and by index."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.documents.ordering import sort_key
from rollbook.documents.values import MISSING
from rollbook.language.filters.traversal import compile_path, reached
from tests.language.filters.matching import matching
from tests.language.filters.values import DOCUMENTS

SHAPES = {
    "{}": {},
    "null": {"a": None},
    "4": {"a": 4},
    "{b:4}": {"a": {"b": 4}},
    "{b:null}": {"a": {"b": None}},
    "[]": {"a": []},
    "[4]": {"a": [4]},
    "[{b:4}]": {"a": [{"b": 4}]},
    "[{},{b:4}]": {"a": [{}, {"b": 4}]},
    "[{b:[4,5]}]": {"a": [{"b": [4, 5]}]},
    "[[{b:4}]]": {"a": [[{"b": 4}]]},
    "{0:{b:4}}": {"a": {"0": {"b": 4}}},
}


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ({"a.b": 4}, ["{b:4}", "[{b:4}]", "[{},{b:4}]", "[{b:[4,5]}]"]),  # not through two arrays
        # Missing is null wherever an object or a scalar stands; an array without objects says nothing at all.
        ({"a.b": None}, ["{}", "null", "4", "{b:null}", "[{},{b:4}]", "{0:{b:4}}"]),
        ({"a.b": {"$exists": True}}, ["{b:4}", "{b:null}", "[{b:4}]", "[{},{b:4}]", "[{b:[4,5]}]"]),
        ({"a.b": {"$size": 2}}, ["[{b:[4,5]}]"]),
        ({"a.b": [4, 5]}, ["[{b:[4,5]}]"]),
        ({"a.0": 4}, ["[4]"]),
        ({"a.0": {"b": 4}}, ["[{b:4}]", "{0:{b:4}}"]),
        ({"a.0.b": 4}, ["[{b:4}]", "[{b:[4,5]}]", "[[{b:4}]]", "{0:{b:4}}"]),  # by index, and then as usual
        ({"a.1.b": 4}, ["[{},{b:4}]"]),
        ({"a.0.b.1": 5}, ["[{b:[4,5]}]"]),
        ({"a.0.0.b": 4}, ["[[{b:4}]]"]),
        ({"a.01": 4}, []),
        ({"a.-1": 4}, []),
        ({"a.1": {"$exists": True}}, ["[{},{b:4}]"]),
    ],
)
def test_a_path_goes_through_objects_and_one_array_at_a_time(filter, names):
    assert matching(filter, SHAPES) == names


def test_an_element_that_an_index_names_is_not_looked_into():
    arrays = {"whole": {"a": [[1, 2]]}, "element": {"a": [1, 2]}}
    assert matching({"a.0": 1}, arrays) == ["element"]
    assert matching({"a.0": [1, 2]}, arrays) == ["whole"]


def test_an_index_beyond_the_array_finds_nothing_there():
    arrays = {"[]": {"a": []}, "[1]": {"a": [1]}, "[1,2]": {"a": [1, 2]}}
    assert matching({"a.1": None}, arrays) == []  # nowhere, which is not "missing"
    assert matching({"a.1": {"$ne": None}}, arrays) == list(arrays)
    assert matching({"a.1": {"$in": [None, 9]}}, arrays) == []
    assert matching({"a.1": {"$exists": False}}, arrays) == ["[]", "[1]"]


def test_an_element_that_is_a_scalar_leads_nowhere():
    arrays = {"[1]": {"a": [1]}, "[[1]]": {"a": [[1]]}, "[null]": {"a": [None]}, "[{}]": {"a": [{}]}}
    assert matching({"a.0.b": None}, arrays) == ["[{}]"]
    assert matching({"a.0.0.b": None}, arrays) == ["[{}]"]
    assert matching({"a.0.b": {"$not": {"$gte": None}}}, arrays) == ["[1]", "[[1]]", "[null]"]


def test_a_number_is_also_the_name_of_a_field_of_the_elements():
    assert matching({"a.0": None}, {"named": {"a": [{"c": 1}, -1]}, "plain": {"a": [1, -1]}}) == ["named"]
    assert matching({"a.7": 1}, {"named": {"a": [{"7": 1}]}}) == ["named"]


def test_empty_names_are_names():
    documents = {"at the top": {"": 1}, "below": {"a": {"": 1}}, "array": {"a": [1]}}
    assert matching({"": 1}, documents) == ["at the top"]
    assert matching({"a.": 1}, documents) == ["below", "array"]  # an array ends where only a dot is left


PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", ""]), min_size=1, max_size=4).map(tuple)


@given(DOCUMENTS, PATHS, st.booleans())
def test_the_compiled_path_finds_what_the_definition_finds(document, path, whole):
    seen = []

    def note(value):
        seen.append(value)
        return False

    compile_path(path, note, whole=whole)(document)
    found = {sort_key(value) for value, _ in reached(document, path, whole=whole)}
    # Absence is tried once when the path is compiled, for every document.
    assert {sort_key(value) for value in seen} - {sort_key(MISSING)} == found - {sort_key(MISSING)}
    absent = compile_path(path, lambda value: value is MISSING, whole=whole)(document)
    assert absent == any(value is MISSING for value, _ in reached(document, path, whole=whole))


@pytest.mark.parametrize(
    ("path", "whole", "found"),
    [
        ("a", True, [(1, None)]),
        ("z", False, [(MISSING, None)]),
        ("a.b", False, [(MISSING, None)]),
        ("l", True, [([1, [2, 3]], None)]),
        ("l", False, [(1, 0), ([2, 3], 1), ([1, [2, 3]], None)]),
        ("o.l", True, [([5], None)]),
        ("o.l", False, [(5, 0), ([5], None)]),
        ("l.", True, [([1, [2, 3]], None)]),  # a dot at the end of an array says nothing more
        ("l.", False, [(1, 0), ([2, 3], 1), ([1, [2, 3]], None)]),
        ("l.0", False, [(1, None)]),
        ("l.1", False, [([2, 3], None)]),  # what an index names is one value
        ("l.2", False, []),
        ("l.1.0", False, [(2, None)]),
        ("l.1.", True, [([2, 3], None)]),
        ("l.1.", False, [(2, 0), (3, 1), ([2, 3], None)]),
        ("l.0.b", False, []),
        ("n.b", True, [([4], 0), (6, 1)]),
        ("n.b", False, [(4, 0), ([4], 0), (6, 1)]),
        ("n.0", False, [(MISSING, 0), (MISSING, 1), ({"b": [4]}, None)]),  # a name of the elements, and an index
        ("n.0.b", True, [(MISSING, 0), (MISSING, 1), ([4], None)]),
        ("n.0.b", False, [(MISSING, 0), (MISSING, 1), (4, 0), ([4], None)]),
    ],
)
def test_a_path_finds_values_and_where_in_the_outermost_array(path, whole, found):
    document = {"a": 1, "l": [1, [2, 3]], "o": {"l": [5]}, "n": [{"b": [4]}, {"b": 6}]}
    assert list(reached(document, tuple(path.split(".")), whole=whole)) == found


def test_an_array_at_the_end_of_a_path_is_looked_into_unless_it_is_to_be_whole():
    document = {"a": [1]}
    assert compile_path(("a",), lambda value: value == 1)(document)
    assert not compile_path(("a",), lambda value: value == 1, whole=True)(document)
