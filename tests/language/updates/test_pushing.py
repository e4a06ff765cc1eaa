import pytest

from tests.language.updates.applying import refused_code, updated


@pytest.mark.parametrize("value", [None, 0, True, "x", [], [1, 2], {}, {"b": 1}, {"$slice": 1}])
def test_push_appends_one_value_of_any_type(value):
    assert updated({"a": [1]}, {"$push": {"a": value}}) == {"a": [1, value]}
    assert updated({}, {"$push": {"a": value}}) == {"a": [value]}


@pytest.mark.parametrize(
    ("modifiers", "after"),
    [
        ({}, [1, 2, 3, 8, 9]),
        ({"$position": 0}, [8, 9, 1, 2, 3]),
        ({"$position": 1}, [1, 8, 9, 2, 3]),
        ({"$position": 3}, [1, 2, 3, 8, 9]),
        ({"$position": 100}, [1, 2, 3, 8, 9]),
        ({"$position": -1}, [1, 2, 8, 9, 3]),
        ({"$position": -3}, [8, 9, 1, 2, 3]),
        ({"$position": -100}, [8, 9, 1, 2, 3]),
        ({"$position": 1.0}, [1, 8, 9, 2, 3]),
        ({"$slice": 0}, []),
        ({"$slice": 4}, [1, 2, 3, 8]),
        ({"$slice": -4}, [2, 3, 8, 9]),
        ({"$slice": 5}, [1, 2, 3, 8, 9]),
        ({"$slice": -100}, [1, 2, 3, 8, 9]),
        ({"$slice": 4.0}, [1, 2, 3, 8]),
        ({"$sort": -1}, [9, 8, 3, 2, 1]),
        ({"$sort": -1.0}, [9, 8, 3, 2, 1]),
        ({"$slice": 2, "$sort": -1}, [9, 8]),  # sorted first, whatever the order of the keys
        ({"$slice": -2, "$position": 0}, [2, 3]),
        ({"$slice": 3, "$position": 1, "$sort": 1}, [1, 2, 3]),
    ],
)
def test_modifiers_work_in_the_order_position_sort_slice(modifiers, after):
    assert updated({"a": [1, 2, 3]}, {"$push": {"a": {"$each": [8, 9], **modifiers}}}) == {"a": after}
    assert updated({"a": [1, 2, 3]}, {"$push": {"a": {**modifiers, "$each": [8, 9]}}}) == {"a": after}


@pytest.mark.parametrize(
    ("operand", "after"),
    [
        ({"$each": []}, [2, 1]),
        ({"$each": [], "$position": 0}, [2, 1]),
        ({"$each": [], "$slice": 1}, [2]),
        ({"$each": [], "$sort": 1}, [1, 2]),
    ],
)
def test_an_empty_each_still_sorts_and_slices(operand, after):
    assert updated({"a": [2, 1]}, {"$push": {"a": operand}}) == {"a": after}


@pytest.mark.parametrize("operand", [{"$each": []}, {"$each": [], "$slice": -5}, {"$each": [1, 2], "$slice": 0}])
def test_push_creates_an_array_even_when_it_stays_empty(operand):
    assert updated({"b": 1}, {"$push": {"a": operand}}) == {"b": 1, "a": []}


def test_whole_elements_sort_in_the_order_of_all_values():
    mixed = [True, [0], {"x": 1}, "b", "a", 2, 1.5, None, [], {}]
    assert repr(updated({"a": mixed}, {"$push": {"a": {"$each": [], "$sort": 1}}})) == repr(
        {"a": [None, 1.5, 2, "a", "b", {}, {"x": 1}, [], [0], True]}
    )


def test_elements_sort_by_several_paths_and_ties_keep_their_order():
    elements = [{"g": 2, "n": 1}, {"g": 1, "n": 1}, {"g": 1, "n": 2}, {"g": 2, "n": 2}, {"g": 1, "n": 2, "x": 0}]
    assert updated({"a": elements}, {"$push": {"a": {"$each": [], "$sort": {"g": -1, "n": 1}}}}) == {
        "a": [{"g": 2, "n": 1}, {"g": 2, "n": 2}, {"g": 1, "n": 1}, {"g": 1, "n": 2}, {"g": 1, "n": 2, "x": 0}]
    }


def test_what_has_nothing_at_the_sort_path_sorts_as_null():
    elements = [{"b": {"c": 1}}, {"b": 5}, 7, {"b": {"c": None}}, "x", [], {"b": {"c": -1}}]
    assert updated({"a": elements}, {"$push": {"a": {"$each": [], "$sort": {"b.c": 1}}}}) == {
        "a": [{"b": 5}, 7, {"b": {"c": None}}, "x", [], {"b": {"c": -1}}, {"b": {"c": 1}}]
    }


@pytest.mark.parametrize(
    ("modifiers", "at"),
    [
        ({"$each": 1}, "/$each"),
        ({"$each": None}, "/$each"),
        ({"$each": {}}, "/$each"),
        ({"$each": "x"}, "/$each"),
        ({"$slice": 1.5}, "/$slice"),
        ({"$slice": None}, "/$slice"),
        ({"$slice": True}, "/$slice"),
        ({"$slice": "1"}, "/$slice"),
        ({"$slice": [1]}, "/$slice"),
        ({"$position": 0.5}, "/$position"),
        ({"$position": None}, "/$position"),
        ({"$position": False}, "/$position"),
        ({"$position": "0"}, "/$position"),
        ({"$position": {}}, "/$position"),
        ({"$sort": 0}, "/$sort"),
        ({"$sort": 2}, "/$sort"),
        ({"$sort": None}, "/$sort"),
        ({"$sort": True}, "/$sort"),
        ({"$sort": "1"}, "/$sort"),
        ({"$sort": []}, "/$sort"),
        ({"$sort": {}}, "/$sort"),
        ({"$sort": {"b": 0}}, "/$sort/b"),
        ({"$sort": {"b": True}}, "/$sort/b"),
        ({"$sort": {"b": 1, "c": "x"}}, "/$sort/c"),
        ({"$sort": {"": 1}}, "/$sort/"),
        ({"$sort": {"b.": 1}}, "/$sort/b."),
        ({"$sort": {"b": {"c": 1}}}, "/$sort/b"),
        ({"$other": 1}, "/$other"),
        ({"other": 1}, "/other"),
    ],
)
def test_a_modifier_of_the_wrong_kind_is_refused_where_it_stands(modifiers, at):
    assert refused_code({"a": [1]}, {"$push": {"a": {"$each": [2], **modifiers}}}) == (2, f"/$push/a{at}")


def test_a_sort_has_so_many_paths():
    paths = {f"p{number}": 1 for number in range(32)}
    assert updated({"a": [{"p31": 2}, {"p31": 1}]}, {"$push": {"a": {"$each": [], "$sort": paths}}}) == {
        "a": [{"p31": 1}, {"p31": 2}]
    }
    paths["p32"] = 1
    assert refused_code({"a": []}, {"$push": {"a": {"$each": [], "$sort": paths}}}) == (13103, "/$push/a/$sort")
