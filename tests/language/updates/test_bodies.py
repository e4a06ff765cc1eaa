import pytest

from rollbook.language.updates import parse_update, touched_paths
from rollbook.limits import Limits
from tests.language.updates.applying import refusal, refused_code, updated


@pytest.mark.parametrize("body", [None, True, 5, 0.5, "text", []])
@pytest.mark.parametrize("bare", ["set", "replace"])
def test_an_update_is_an_object(body, bare):
    assert refused_code({}, body, bare=bare) == (9, "")


@pytest.mark.parametrize("operator", ["$foo", "$", "$zzz"])
def test_an_unknown_operator_is_refused_with_the_list_of_those_there_are(operator):
    refused = refusal({}, {operator: {"a": 1}})
    assert (refused.mongo_code, refused.at) == (9, f"/{operator}")
    assert "$addToSet, $bit, $currentDate, $inc, $max" in refused.message


@pytest.mark.parametrize("operand", [None, True, 5, "a", [], [{"a": 1}]])
@pytest.mark.parametrize("operator", ["$set", "$inc", "$rename", "$pull", "$setOnInsert"])
def test_an_operator_takes_an_object_of_paths(operator, operand):
    assert refused_code({}, {operator: operand}) == (9, f"/{operator}")


def test_a_pointer_starts_where_the_update_stands():
    assert refused_code({}, {"$inc": {"a": "x"}}, at="/update") == (14, "/update/$inc/a")


@pytest.mark.parametrize("body", [{}, {"$set": {}}, {"$set": {}, "$inc": {}, "$rename": {}}])
def test_an_update_that_names_no_path_changes_nothing(body):
    document = {"a": 1}
    assert updated(document, body) is document


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"a": 5}, {"id": "x", "a": 5, "n": 1}),
        ({"a": {"c": 5}}, {"id": "x", "a": {"c": 5}, "n": 1}),
        ({"a.c": 5}, {"id": "x", "a": {"b": 1, "c": 5}, "n": 1}),
        ({"id": "x", "z": None}, {"id": "x", "a": {"b": 1}, "n": 1, "z": None}),
        ({"a.c": 5, "$inc": {"n": 1}}, {"id": "x", "a": {"b": 1, "c": 5}, "n": 2}),
        ({"$inc": {"n": 1}, "m": 2, "$set": {"o": 3}}, {"id": "x", "a": {"b": 1}, "n": 2, "m": 2, "o": 3}),
    ],
)
def test_fields_outside_operators_are_set(body, after):
    assert updated({"id": "x", "a": {"b": 1}, "n": 1}, body) == after


@pytest.mark.parametrize(
    ("body", "code", "at"),
    [
        ({"a": 1, "a.b": 1}, 40, "/a.b"),
        ({"a": 1, "$set": {"a": 1}}, 40, "/$set/a"),
        ({"$inc": {"a": 1}, "a": 1}, 40, "/a"),
        ({"": 1}, 56, "/"),
        ({"a..b": 1}, 56, "/a..b"),
        ({"id": "y"}, 66, "/id"),
    ],
)
def test_fields_outside_operators_follow_the_rules_of_set(body, code, at):
    assert refused_code({"id": "x"}, body) == (code, at)


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"b": 2}, {"id": "x", "b": 2}),
        ({}, {"id": "x"}),
        ({"b": 2, "id": "x"}, {"id": "x", "b": 2}),
        ({"b.c": 2, "": 3}, {"id": "x", "b.c": 2, "": 3}),
    ],
)
def test_a_replacement_keeps_the_identity_and_puts_it_first(body, after):
    replaced = updated({"a": 1, "id": "x"}, body, bare="replace")
    assert list(replaced.items()) == list(after.items())


def test_a_replacement_by_the_same_document_is_no_change():
    document = {"id": "x", "a": 1}
    assert updated(document, {"a": 1}, bare="replace") is document
    assert updated(document, {"a": 1.0}, bare="replace") is not document


def test_a_document_without_identity_may_be_given_one_by_a_replacement():
    assert updated({"a": 1}, {"id": "x"}, bare="replace") == {"id": "x"}
    assert updated({"a": 1}, {"b": 2}, bare="replace") == {"b": 2}


@pytest.mark.parametrize(
    ("body", "code", "at"),
    [
        ({"id": "y", "b": 2}, 66, "/id"),
        ({"b": 1, "$set": {"a": 1}}, 52, "/$set"),
        ({"$set": {"a": 1}, "b": 1}, 9, "/b"),
    ],
)
def test_a_replacement_has_no_operators_and_no_other_identity(body, code, at):
    assert refused_code({"id": "x"}, body, bare="replace") == (code, at)


@pytest.mark.parametrize(
    ("update", "at"),
    [
        ({"$set": {"id": "y"}}, "/$set/id"),
        ({"$unset": {"id": ""}}, "/$unset/id"),
        ({"$rename": {"id": "other"}}, "/$rename/id"),
        ({"$rename": {"a": "id"}}, "/$rename/a"),
        ({"$min": {"id": "a"}}, "/$min/id"),
        ({"$currentDate": {"id": True}}, "/$currentDate/id"),
    ],
)
def test_the_identity_is_immutable(update, at):
    assert refused_code({"id": "x", "a": 1}, update) == (66, at)


def test_the_identity_may_be_set_to_what_it_is():
    document = {"id": "x", "a": 1}
    assert updated(document, {"$set": {"id": "x"}, "$max": {"a": 1}}) is document
    assert updated({"_id": 5, "id": "y"}, {"$set": {"id": "z", "_id": 5.0}}, identity="_id") == {"_id": 5.0, "id": "z"}


def test_an_identity_that_is_missing_can_not_be_set_even_to_null():
    assert refused_code({"a": 1}, {"$set": {"id": None}}) == (66, "/$set/id")
    assert refused_code({"id": None}, {"$unset": {"id": ""}}) == (66, "/$unset/id")


def test_an_identity_that_is_an_object_is_immutable_inside():
    assert refused_code({"id": {"a": 1}}, {"$inc": {"id.a": 1}}) == (66, "/$inc/id.a")


@pytest.mark.parametrize(
    ("update", "touched"),
    [
        ({"$set": {"a.b": 1, "c": 1}}, {("a", "b"), ("c",)}),
        ({"$rename": {"a": "b.c"}}, {("a",), ("b", "c")}),
        ({"$inc": {"a.0.b": 1}}, {("a", "0", "b")}),
        ({"$inc": {"a.$.b": 1, "c.d.$[].e": 1}}, {("a",), ("c", "d")}),
        ({"x.y": 1}, {("x", "y")}),
        ({}, set()),
    ],
)
def test_touched_paths_end_where_positions_vary(update, touched):
    assert touched_paths(parse_update(update)) == touched


def test_a_replacement_may_touch_any_path():
    assert touched_paths(parse_update({"a": 1}, bare="replace")) is None


def test_an_update_names_so_many_paths():
    limits = Limits(update_changes_max=3)
    assert updated({}, {"$set": {"a": 1, "b": 2}, "c": 3}, limits=limits) == {"a": 1, "b": 2, "c": 3}
    assert refused_code({}, {"$set": {"a": 1, "b": 2}, "c": 3, "d": 4}, limits=limits) == (9, "")
