import pytest

from rollbook.limits import Limits
from tests.language.updates.applying import refusal, refused_code, updated

CREATING = [("$set", 1), ("$inc", 1), ("$mul", 1), ("$min", 1), ("$max", 1), ("$bit", {"or": 1})]
CREATING += [("$push", 1), ("$addToSet", 1), ("$currentDate", True)]


def test_missing_objects_on_the_way_are_created():
    assert updated({}, {"$set": {"a.b.c": 1, "a.b.d": 2, "e": 3}}) == {"a": {"b": {"c": 1, "d": 2}}, "e": 3}
    assert updated({"a": {}}, {"$set": {"a.b.c": 1}}) == {"a": {"b": {"c": 1}}}


def test_a_number_names_a_field_where_there_is_no_array():
    assert updated({}, {"$set": {"a.0.b": 1}}) == {"a": {"0": {"b": 1}}}
    assert updated({"a": {"0": 5, "00": 6}}, {"$inc": {"a.0": 1, "a.00": 1}}) == {"a": {"0": 6, "00": 7}}


@pytest.mark.parametrize(
    ("array", "path", "after"),
    [
        ([1, 2], "a.0", [9, 2]),
        ([1, 2], "a.2", [1, 2, 9]),
        ([1, 2], "a.4", [1, 2, None, None, 9]),
        ([1, 2], "a.01", [1, 9]),  # leading zeros are accepted for an index
        ([], "a.1.b", [None, {"b": 9}]),
        ([[], {}], "a.0.1.b", [[None, {"b": 9}], {}]),
        ([{"b": 1}], "a.0.c.d", [{"b": 1, "c": {"d": 9}}]),
    ],
)
def test_an_index_sets_an_element_and_fills_the_way_with_null(array, path, after):
    assert updated({"a": array}, {"$set": {path: 9}}) == {"a": after}


def test_an_element_that_is_null_is_set_and_stays_null_when_it_is_removed():
    document = {"a": [None, 1]}
    assert updated(document, {"$set": {"a.0": 9}}) == {"a": [9, 1]}
    assert updated(document, {"$unset": {"a.0": ""}}) is document


def test_what_an_array_has_no_place_for_does_not_hide_what_comes_after_it():
    assert updated({"a": [1]}, {"$unset": {"a.!": "", "a.0": ""}}) == {"a": [None]}


def test_several_new_elements_fill_in_together():
    assert updated({"a": [0]}, {"$set": {"a.10": "x", "a.2": "y", "a.0": "z"}}) == {
        "a": ["z", None, "y", *[None] * 7, "x"]
    }


@pytest.mark.parametrize("value", [None, 1, 0.5, "text", True])
@pytest.mark.parametrize(("operator", "operand"), CREATING)
def test_a_path_can_not_go_on_through_a_scalar(operator, operand, value):
    assert refused_code({"a": value}, {operator: {"a.b.c": operand}}) == (28, f"/{operator}/a.b.c")
    assert refused_code({"a": [{"b": value}]}, {operator: {"a.0.b.0": operand}}) == (28, f"/{operator}/a.0.b.0")


@pytest.mark.parametrize(("operator", "operand"), CREATING)
@pytest.mark.parametrize("component", ["b", "-1", "+1", "1a", "1e1", "١", "4294967296", "9" * 5000])
def test_a_path_goes_on_through_an_array_by_its_index_only(operator, operand, component):
    path = f"a.{component}"
    assert refused_code({"a": [{"b": 1}]}, {operator: {path: operand}}) == (28, f"/{operator}/{path}")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", 56),
        (".", 56),
        (".a", 56),
        ("a.", 56),
        ("a..b", 56),
        ("$a", 52),
        ("$a.b", 52),
        ("$[", 52),
        ("$", 2),
        ("$.a", 2),
        ("$[]", 2),
        ("$[x].a", 2),
        ("a.$.b.$", 2),
        ("a.$[x]", 2),
        ("a.$[].$", 2),
        ("a.$[].b.$.c", 2),
        (".".join("a" * 129), 15),
    ],
)
@pytest.mark.parametrize("operator", ["$set", "$unset", "$pull", "$setOnInsert"])
def test_a_path_that_no_document_can_have_is_refused(operator, path, code):
    assert refused_code({}, {operator: {path: 1}}) == (code, f"/{operator}/{path}")


def test_a_path_has_up_to_128_names():
    document = {"a": 1}
    assert updated(document, {"$unset": {".".join("b" * 128): ""}}) is document


def test_a_dollar_is_legal_below_the_top():
    assert updated({}, {"$set": {"a.$b": 1, "c": {"$d": 2}}}) == {"a": {"$b": 1}, "c": {"$d": 2}}


def test_a_pointer_escapes_the_path():
    assert refused_code({"a/b~c": 1}, {"$inc": {"a/b~c.d": 1}}) == (28, "/$inc/a~1b~0c.d")


def test_two_ways_to_write_one_index_both_apply():
    assert updated({"a": [0, 0]}, {"$inc": {"a.1": 1, "a.01": 2}}) == {"a": [0, 3]}


def test_filling_an_array_has_a_limit():
    limits = Limits(backfill_elements_max=3)
    assert updated({"a": [1]}, {"$set": {"a.4": 9}}, limits=limits) == {"a": [1, None, None, None, 9]}
    assert refused_code({"a": [1]}, {"$set": {"a.5": 9}}, limits=limits) == (34, "/$set/a.5")


def test_what_is_there_already_needs_no_filling():
    limits = Limits(backfill_elements_max=0)
    assert updated({"a": [1, 2]}, {"$set": {"a.0": 9, "a.1": 9, "a.2": 9}}, limits=limits) == {"a": [9, 9, 9]}


def test_the_limit_of_filling_holds_for_all_arrays_of_an_update_together():
    limits = Limits(backfill_elements_max=3)
    assert updated({"a": [0]}, {"$set": {"a.2": 9, "a.4": 9}}, limits=limits) == {"a": [0, None, 9, None, 9]}
    assert refused_code({"a": [0]}, {"$set": {"a.2": 9, "a.6": 9}}, limits=limits) == (34, "/$set/a.6")
    assert refused_code({"a": [], "b": []}, {"$set": {"a.2": 9, "b.2": 9}}, limits=limits) == (34, "/$set/b.2")
    assert refused_code({"a": [[], []]}, {"$set": {"a.$[].2": 9}}, limits=limits) == (34, "/$set/a.$[].2")


@pytest.mark.parametrize("index", [1_500_001, 1_000_000_000, 4_294_967_295])
def test_a_hostile_index_is_refused_before_anything_is_filled(index):
    assert refused_code({"a": []}, {"$set": {f"a.{index}": 1}})[0] == 34


def test_a_value_set_at_many_elements_has_a_limit_in_all():
    limits = Limits(value_bytes_max=100)
    text = "x" * 28  # 30 bytes of JSON
    assert updated({"a": [1, 2, 3]}, {"$set": {"a.$[]": text}}, limits=limits) == {"a": [text] * 3}
    assert updated({"a": [1, 2, 3]}, {"$set": {"a.$[]": text}}, limits=Limits(value_bytes_max=90)) == {"a": [text] * 3}
    assert updated({"a": [text] * 9}, {"$set": {"a.$[]": text}}, limits=limits) == {"a": [text] * 9}
    assert refused_code({"a": [1, 2, 3, 4]}, {"$set": {"a.$[]": text}}, limits=limits) == (10334, "/$set/a.$[]")


def test_a_value_set_once_has_the_limit_of_its_request_only():
    assert updated({}, {"$set": {"a.b": "x" * 200}}, limits=Limits(value_bytes_max=100)) == {"a": {"b": "x" * 200}}


def test_an_update_can_not_nest_a_document_deeper_than_a_request():
    limits = Limits(body_depth_max=5)
    assert updated({}, {"$set": {"a.b": [[[[]]]]}}, limits=limits)  # its request is deeper
    assert updated({}, {"$set": {"a.b.c": [[]]}}, limits=limits) == {"a": {"b": {"c": [[]]}}}
    assert refused_code({}, {"$set": {"a.b.c": [[[]]]}}, limits=limits) == (15, "/$set/a.b.c")
    assert updated({"x": [[]]}, {"$rename": {"x": "a.b.c"}}, limits=limits) == {"a": {"b": {"c": [[]]}}}
    assert refused_code({"x": [[[]]]}, {"$rename": {"x": "a.b.c"}}, limits=limits) == (15, "/$rename/x")
    assert updated({"x": [[[[[]]]]]}, {"$rename": {"x": "y"}}, limits=limits) == {
        "y": [[[[[]]]]]
    }  # no deeper than it was


def test_a_refusal_says_what_is_in_the_way():
    assert refusal({"a": {"b": "x"}}, {"$set": {"a.b.c": 1}}).message == (
        "$set of 'a.b.c': the path can't go on through the string that is on it"
    )


def test_new_fields_come_in_the_order_of_their_paths_and_old_ones_keep_their_places():
    after = updated({"m": 0, "b": 0}, {"$set": {"z": 1, "b": 2, "a": 3}, "$inc": {"n": 4, "m": 5}})
    assert list(after.items()) == [("m", 5), ("b", 2), ("a", 3), ("n", 4), ("z", 1)]


def test_two_new_fields_come_in_the_order_of_their_names():
    assert list(updated({}, {"$set": {"z": 1, "b": 2}})) == ["b", "z"]


def test_new_fields_that_are_numbers_come_in_the_order_of_numbers():
    after = updated({}, {"$set": {"a.10": 1, "a.9": 2, "a.100": 3, "a.01": 4, "a.x": 5}})
    assert list(after["a"]) == ["01", "9", "10", "100", "x"]
